"""What a pod's log says about its failure, in one sentence."""

import re

# Lines of KFP's launcher and driver (glog) and of Argo's executor, around those of the step.
_GLOG = re.compile(r"([IWEF])\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ [^\]\s]+\] ?(.*)")
_ARGO = re.compile(r'time="?\d{4}-|Error: exit status|exit status \d')
_EXIT = re.compile(r"exit status \d+$")
_OURS = re.compile(r".{1,80} failed: (.+)")
_TAIL = 200  # lines


def last_sentence(log: str) -> str:
    """Why the pod failed; empty if its log does not say.

    A step of ours ends with "<its name> failed: <a sentence>". KFP's launcher, which runs it, then
    says how the process ended, or what it could not do itself, such as to store the outputs.
    """
    lines = [line.strip() for line in log.splitlines() if line.strip()][-_TAIL:]
    runtime = [match for line in lines if (match := _GLOG.match(line))]
    own = [line for line in lines if not _GLOG.match(line) and not _ARGO.match(line)]
    ended = [match[2] for match in runtime if match[1] in "EF"]
    if own and (sentence := _OURS.fullmatch(own[-1])) and (not ended or _EXIT.search(ended[-1])):
        return sentence[1]
    if ended and not _EXIT.search(ended[-1]):
        return ended[-1]
    return own[-1] if own else ""
