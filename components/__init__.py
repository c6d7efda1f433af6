"""One KFP component a file: types, defaults and a call into ``augstudy.steps``."""
