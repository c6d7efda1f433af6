#!/usr/bin/env bash
# A cluster with Kubeflow Pipelines, fake GPUs, the images and the chart; 'make kind-up'. Every step is a
# script of its own and may be run again; lib.sh lists the settings.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

for name in check_tools create_cluster fake_gpus install_kfp load_images install_chart port_forward; do
  "scripts/kind/$name.sh"
done
cat <<END

The dashboard: http://localhost:${UI_PORT:-8080}
Submit a study:
  export AUGSTUDY_KFP_HOST=http://localhost:${UI_PORT:-8080} AUGSTUDY_SERVICE_ACCOUNT=augstudy
  make submit PIPELINE=augmentation_study PRESET=smoke WAIT=1
END
