"""Everything that knows of compiled pipelines, KFP and Kubernetes."""
