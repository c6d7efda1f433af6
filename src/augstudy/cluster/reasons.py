"""Why a run failed or does not get on: from the logs of its pods, its times, and Kubernetes."""

import re
from datetime import datetime

from augstudy.cluster.insight import Insight
from augstudy.cluster.kfp_answers import Run, Task
from augstudy.cluster.kfp_api import Server
from augstudy.cluster.nodes import Nodes
from augstudy.cluster.steps import Steps
from augstudy.core.errors import AugstudyError
from augstudy.pages.formats import duration

DRIVER = "-driver"
_LONGEST = 600
_LOOKS = 6  # logs that are tried for one task
_SLACK_S = 5.0  # between the clocks of those who write down when something began and ended
_MEANING = (
    "a driver is KFP's own pod that prepares a task, so look at the service account, the pipeline "
    "root and its credentials, and the run's parameters"
)


# Lines of KFP's launcher and driver (glog) and of Argo's executor, around those of the step.
_GLOG = re.compile(r"([IWEF])\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ [^\]\s]+\] ?(.*)")
_ARGO = re.compile(r'time="?\d{4}-|Error: exit status|exit status \d')
_EXIT = re.compile(r"exit status \d+$")
_OURS = re.compile(r".{1,80} failed: (.+)")
_TAIL = 200  # lines


class Reasons:
    """What can be found out about one run."""

    def __init__(self, server: Server, run_id: str, steps: Steps) -> None:
        self._server, self._run_id, self._steps = server, run_id, steps
        self._insight = Insight(server.connection.namespace)

    @property
    def command(self) -> str:
        """What shows why a run does not get on."""
        return self._insight.command(self._run_id)

    def of(self, run: Run, task: Task) -> str:
        """Why a step or a driver failed."""
        said = task.error.message if task.error else ""
        driver = task.display_name.endswith(DRIVER) and task.display_name not in self._steps.steps
        step = None if driver else self._steps.steps[task.display_name]
        if step and step.limit_s and _reached(step.limit_s, task.start_time, task.end_time):
            limit = duration(step.limit_s)
            return f"it reached its time limit of {limit}: timeout_s in the cluster settings."
        why = self._shown(
            self._logged(run, task, driver)
            or self._insight.failed(self._run_id, task.display_name)
            or said
        )
        if driver:
            return f"{why.rstrip('.')}; {_MEANING}." if why else f"its log is gone; {_MEANING}."
        return why or f"its log cannot be had any more; see {self.command}."

    def late(self, run: Run, task: Task) -> bool:
        """Whether a task ended because the run's time was up."""
        return _reached(self._steps.deadline_s, run.created_at, task.end_time)

    def end(self, run: Run, terminated: bool, explained: bool) -> str:
        """Why a run ended that did not succeed; empty if a step or a driver says it.

        KFP shows runs that were terminated, and those whose time was up, as failed ones.
        """
        if terminated:
            return "somebody terminated it, in the dashboard or through the API"
        limit = self._steps.deadline_s
        if limit and _reached(limit, run.created_at, run.finished_at):
            return (
                f"it reached its deadline of {duration(limit)}: deadline_s in the cluster settings"
            )
        if explained:
            return ""
        return self._shown(self._insight.failed(self._run_id, "root-driver")) or (
            "no step says why, so it may have been terminated from outside"
        )

    def waiting(self) -> str:
        """Why pods wait; empty if Kubernetes cannot be asked."""
        return self._shown("; ".join(self._insight.waiting(self._run_id)[:2]))

    def _logged(self, run: Run, task: Task, driver: bool) -> str:
        """The last sentence of the pod's log; empty if there is none."""
        tasks = run.run_details.task_details if run.run_details else []
        nodes = Nodes(tasks)
        if driver:
            pods = nodes.driver_pods(task)
        else:
            pods = nodes.step_pods(task, self._steps.steps[task.display_name].template)
        given = [task.pod_name] if task.pod_name else []  # later versions may tell it
        for pod in [*given, *pods][:_LOOKS]:
            try:
                log = self._server.log(self._run_id, pod)
            except AugstudyError:
                return ""
            if log and (sentence := last_sentence(log)):
                return sentence
        return ""

    def _shown(self, text: str) -> str:
        return self._server.faults.shown(text, _LONGEST)


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


def _reached(limit_s: float | None, began: datetime | None, ended: datetime | None) -> bool:
    """Whether something took as long as it may."""
    if not limit_s or not began or not ended:
        return False
    return (ended - began).total_seconds() >= limit_s - _SLACK_S
