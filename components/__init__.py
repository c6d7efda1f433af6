"""One KFP component per file: types, defaults, and a call into ``augstudy.steps``."""
