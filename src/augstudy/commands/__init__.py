"""The commands of the ``augstudy`` program. Heavy imports happen inside a command, never here."""
