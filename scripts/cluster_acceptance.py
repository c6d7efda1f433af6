"""The checks of ``scripts/cluster_acceptance.sh``, which says what they need."""

import contextlib
import os
import re
import secrets
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import acceptance_pods as pods
from acceptance_tools import FailedError, NotRunError, Tools, hashes, need

from augstudy.cluster.kfp_answers import Deleted
from augstudy.cluster.kfp_api import Version
from augstudy.cluster.kfp_http import KfpHttp
from augstudy.cluster.stores import Stores
from augstudy.core import outlets
from augstudy.core.errors import AugstudyError
from augstudy.core.manifest import MANIFEST

PIPELINE = "augmentation_study"
NOWHERE = "file:///there/is/no/such/folder"
DATA, NETWORKS = ("dataset",), ("judge", "gan", "synthetic", "classifier", "evaluation")
OVER = ("SUCCEEDED", "FAILED", "CANCELED", "SKIPPED")
_RUN = re.compile(r"/runs/details/([\w-]+)")
SOON_S = 20.0  # after its beginning, hardly any training is done
_FIRES_S = 150.0  # a schedule of every minute, and KFP's own delay


class Acceptance(Tools):
    """What one try of a release makes, and the checks in their order."""

    def __init__(self) -> None:
        super().__init__()
        self.tag = f"acceptance-{secrets.token_hex(3)}"
        self.gpus = os.environ.get("GPUS") or "1"
        self.levels = (os.environ.get("LEVELS") or "20 40").split()
        self.runs: list[str] = []
        self.lost: pods.Json = {}  # metadata of the pod that was taken away

    def checks(self) -> dict[str, Callable[[], str]]:
        """All checks by name; each returns what is worth telling."""
        return {
            "install": self.install,
            "doctor": self.doctor,
            "submit": self.submit,
            "delete": self.delete_a_pod,
            "wait": self.wait,
            "resumed": self.resumed,
            "gpu": self.asks_for_gpus,
            "security": self.is_secure,
            "labels": self.has_labels,
            "retry": self.is_retried,
            "ttl": self.is_kept,
            "hashes": self.equals_a_local_run,
            "schedule": self.fires,
            "failure": self.tells_why,
            "clean": self.clean,
        }

    def install(self) -> str:
        """The chart installs, and its own test passes."""
        _ = self.cluster
        self.call("scripts/kind/install_chart.sh")
        return ""

    def doctor(self) -> str:
        """``augstudy doctor`` finds nothing wrong, with the image that trainings on GPUs have."""
        _ = self.cluster
        said = self.augstudy("doctor", "--context", self.context, AUGSTUDY_GPUS=self.gpus)
        return said.splitlines()[-1]

    def submit(self) -> str:
        """Runs of all levels start."""
        options = ("--levels", " ".join(self.levels), "--gpus", self.gpus, "--no-cache")
        said = self._submit(self.tag, *options)
        self.runs = list(dict.fromkeys(_RUN.findall(said)))
        need(len(self.runs) == len(self.levels), f"{len(self.runs)} runs were started")
        return f"{len(self.runs)} runs"

    def delete_a_pod(self) -> str:
        """A pod is taken away in the middle of a training."""
        cluster, (first, *_) = self.cluster, self._started()
        for _ in self.looks(self.limit_s):
            for pod in self.pods_of(cluster, first):
                now = datetime.now(timezone.utc)
                if pods.training_try(pod) == 0 and pods.computes(pod, now, SOON_S):
                    self.lost = pod["metadata"]
                    name = str(self.lost["name"])
                    self.kubectl("delete", "pod", name, "--wait=false", "--grace-period=1")
                    return name
            need(self.server.run(first).state not in OVER, "the run ended before a training ran")
        raise FailedError("no training pod ever ran: see 'kubectl get pods'")

    def wait(self) -> str:
        """All runs succeed."""
        began = time.monotonic()
        for run_id in self._started():
            for _ in self.looks(self.limit_s):
                state = self.server.run(run_id).state
                if state in OVER:
                    break
            need(state == "SUCCEEDED", f"{self.server.run_link(run_id)} is {state.lower()}")
        return f"{time.monotonic() - began:.0f} s"

    def resumed(self) -> str:
        """Argo replaced the pod that was taken away."""
        if not self.lost:
            raise NotRunError("no pod was deleted")
        trained = self.trained(self.runs[:1])
        again = [pod for pod in trained if pods.replaces(pod, self.lost)]
        need(again, f"no pod took the place of {self.lost['name']}")
        return str(again[0]["metadata"]["name"])

    def asks_for_gpus(self) -> str:
        """Each training pod asks for as many GPUs as were typed."""
        kind = self.settings.gpu_type
        found = {pods.gpus(pod, kind) for pod in self.trained(self._started())}
        need(found == {self.gpus}, f"pods have {', '.join(sorted(found))} {kind}")
        return f"{self.gpus} {kind}"

    def is_secure(self) -> str:
        """The security context of training pods passes the level ``restricted``."""
        return self._each(lambda pod, _: pods.insecure(pod, self.settings))

    def has_labels(self) -> str:
        """Training pods carry the labels of KFP and of the settings."""
        return self._each(
            lambda pod, run_id: pods.unlabelled(pod, run_id, self.settings.pod_labels)
        )

    def is_retried(self) -> str:
        """The workflow tries steps again as often as the settings say."""
        found = set().union(*(pods.retries(item) for item in self.workflows(self._started())))
        wanted = {str(self.settings.retry.times)} if self.settings.retry.times else set()
        need(found == wanted, f"the workflows say {', '.join(sorted(found)) or 'nothing'}")
        return ", ".join(found)

    def is_kept(self) -> str:
        """A finished workflow is kept as long as the settings say."""
        found = {ttl for item in self.workflows(self._started()) for ttl in pods.ttls(item)}
        need(found == {self.settings.ttl_s}, f"the workflows say {found}")
        return f"{self.settings.ttl_s} s"

    def equals_a_local_run(self) -> str:
        """What the steps made of the smallest level is what they make here."""
        run_id, level = self._started()[0], self.levels[0]
        threads = os.environ.get("AUGSTUDY_THREADS") or str(self.settings.training.threads)
        kinds = DATA if os.environ.get("EQUAL") == "dataset" else DATA + NETWORKS
        with (
            tempfile.TemporaryDirectory() as folder,
            Stores(self.server.connection, self.context, kfp_namespace=self.namespace) as stores,
        ):
            pool = f"train_per_class={max(map(int, self.levels))}"
            options = ("--preset", "smoke", "--level", level, "--set", pool, "--runs-dir", folder)
            self.augstudy("run", PIPELINE, *options, AUGSTUDY_THREADS=threads)
            texts = (path.read_bytes() for path in Path(folder).rglob(MANIFEST))
            here = hashes(texts, kinds)
            config = self.server.run(run_id).runtime_config
            store = stores.open(config.pipeline_root if config else "")
            keys = store.keys(f"{self._pipeline(run_id)}/{run_id}/")
            there = hashes((store.read(key) for key in keys if key.endswith(MANIFEST)), kinds)
        missing = [kind for kind in kinds if not here[kind]]
        need(not missing, f"the local run left no {', '.join(missing)}")
        differ = [kind for kind in kinds if here[kind] != there[kind]]
        need(not differ, f"{', '.join(differ)} differ, with {threads} threads here")
        return f"{', '.join(kinds)} are equal, with {threads} threads"

    def fires(self) -> str:
        """A schedule of every minute starts a run."""
        options = ("--name", self.tag, "--experiment", f"{self.tag}-schedule")
        self.augstudy("schedule", PIPELINE, "--cron", "0 * * * * *", "--preset", "smoke", *options)
        experiment = self.server.find_experiment(f"{self.tag}-schedule")
        try:
            for _ in self.looks(_FIRES_S):
                if found := list(self.server.runs(experiment)):
                    return found[0].display_name
        finally:
            self.augstudy("schedule", "delete", self.tag)
        raise FailedError(f"it did not fire within {_FIRES_S:.0f} s")

    def tells_why(self) -> str:
        """Whoever waits for a run that fails reads the sentence of its step."""
        said = self._submit(f"{self.tag}-failure", "--source", NOWHERE, "--wait", fails=True)
        found = re.search(r"ingest failed: (?!its log )(.+)", said)
        need(found, f"no reason was told: {said.splitlines()[-1] if said else 'nothing was said'}")
        return found[1] if found else ""

    def clean(self) -> str:
        """Runs and experiments of this try are deleted."""
        http, count = KfpHttp(self.server.connection), 0
        for name in (self.tag, f"{self.tag}-schedule", f"{self.tag}-failure"):
            experiment = self.server.find_experiment(name)
            for run in list(self.server.runs(experiment)) if experiment else ():
                path = f"/apis/v2beta1/runs/{run.run_id}"
                if run.state not in OVER:
                    http.ask(Deleted, "POST", f"{path}:terminate", "end a run")
                http.ask(Deleted, "DELETE", path, "delete a run")
                count += 1
            # The schedule was only paused while its run ran.
            if name == f"{self.tag}-schedule" and self.server.schedules(self.tag):
                self.augstudy("schedule", "delete", self.tag)
            if experiment:
                path = f"/apis/v2beta1/experiments/{experiment}"
                http.ask(Deleted, "DELETE", path, "delete an experiment")
        return f"{count} runs deleted"

    def _started(self) -> list[str]:
        if not self.runs:
            raise NotRunError("no runs were started")
        return self.runs

    def _each(self, wrong: Callable[[Any, str], list[str]]) -> str:
        """Ask of every training pod what is wrong with it."""
        count = 0
        for run_id in self._started():
            for pod in self.trained([run_id]):
                found = wrong(pod, run_id)
                need(not found, f"{pod['metadata']['name']}: {'; '.join(found)}")
                count += 1
        return f"{count} pods"

    def _pipeline(self, run_id: str) -> str:
        reference = self.server.run(run_id).pipeline_version_reference
        assert reference, "a run that was submitted is one of a version"
        version = Version(reference.pipeline_id, reference.pipeline_version_id)
        return self.server.pipeline_name(version)

    def _submit(self, experiment: str, *options: str, fails: bool = False) -> str:
        start = ("submit", PIPELINE, "--preset", "smoke", "--experiment", experiment)
        return self.augstudy(*start, *options, "--poll", str(self.poll_s), fails=fails)


def tell(state: str, name: str, more: str) -> None:
    """A line of the report."""
    print(f"{state:<7}  {name}{': ' if more else ''}{more}", flush=True)


def main() -> int:
    """Make all checks; 1 if one is not ok."""
    os.environ.setdefault("AUGSTUDY_SERVICE_ACCOUNT", "augstudy")
    skipped, bad = os.environ.get("SKIP", "").split(), False
    try:
        checks = Acceptance().checks()
    except AugstudyError as error:
        tell("not ok", "connection", str(error))
        return 1
    for name, check in checks.items():
        if name in skipped:
            tell("not run", name, "left out by SKIP")
            continue
        try:
            tell("ok", name, check())
        except NotRunError as reason:
            tell("not run", name, str(reason))
        except (FailedError, AugstudyError, OSError) as reason:
            bad = True
            tell("not ok", name, str(reason))
    return int(bad)


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError), outlets.guarded():
        sys.exit(main())
