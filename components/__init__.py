"""One KFP component per file: what a step takes and leaves, and a call into ``augstudy.steps``.

``locals()`` in a component is all that it was called with. A parameter has the name that it has in
the pipelines, and ``_recipe`` behind it where an artifact has that name.
"""
