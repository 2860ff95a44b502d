"""As many processes as were asked for: from a notebook, or where accelerate has started one."""

import logging
import os
import subprocess
import sys

# The launcher's name, as it stands in a command line before its own options.
LAUNCHERS = ("launch", "accelerate-launch", "accelerate.commands.launch")


def run_on_processes(count: int, *command: str) -> str:
    """Run a command of this package on several processes of this machine, with accelerate.

    Args:
        count: Number of processes, which share the processor's cores.
        command: What would stand after ``imdb-tutorial``: ``"probe", "--train-size", "40"``.

    Returns:
        What it printed; bars are left out.

    Raises:
        ValueError: No process.
        RuntimeError: The command failed; the message is what it said.
    """
    if count < 1:
        raise ValueError(f"{count} processes: expected 1 or more")
    options = ["--num_processes", str(count), "--num_machines", "1", "--main_process_port", "0"]
    options += ["--mixed_precision", "no", "--dynamo_backend", "no", "--quiet"]
    options += ["--multi_gpu"] if count > 1 else []  # says accelerate, and means processors too
    running = subprocess.Popen(
        [sys.executable, "-m", LAUNCHERS[-1], *options, "-m", "imdb_tutorial", *command],
        env={"OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 1) // count))}
        | os.environ
        | {"TQDM_DISABLE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    try:
        printed, errors = running.communicate()
    except BaseException:
        running.terminate()  # the launcher ends the others
        running.communicate()
        raise
    if running.returncode:
        lines = errors.splitlines() or ["it said nothing"]
        said = [line for line in lines if line.startswith(("error: ", "imdb-tutorial"))]
        raise RuntimeError((said or lines)[-1].removeprefix("error: "))
    return printed


def start_all() -> int | None:
    """Give a command that ``accelerate launch`` started once on processors to as many as asked for.

    Without several GPUs accelerate 1.15 leaves ``--num_processes`` out of account, unless it is
    told ``--multi_gpu``; then it starts them with torchrun, on processors too. So it is called
    again, with its own options and that one.

    Returns:
        The exit status of all of them; nothing where this process is one that is to do the work.
    """
    # What it sets where it was asked for more than one, and what it sets where it has started them.
    if "MASTER_ADDR" not in os.environ or "ACCELERATE_USE_CPU" not in os.environ:
        return None
    if "WORLD_SIZE" in os.environ:
        return None
    from accelerate.commands.launch import launch_command, launch_command_parser
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    if (options := _options_of_launcher()) is None:
        return None
    asked = launch_command_parser().parse_args(options)
    if not asked.num_processes or asked.num_processes == 1 or asked.mpirun_hostfile:
        return None
    asked.multi_gpu, asked.cpu = True, False
    asked.num_machines = asked.num_machines or 1
    asked.mixed_precision = asked.mixed_precision or "no"
    asked.dynamo_backend = asked.dynamo_backend or "no"
    if asked.num_machines == 1 and asked.main_process_port is None:
        asked.main_process_port = 0  # any that is free
    # Who ended is said by those who are left.
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)
    try:
        launch_command(asked)
    except ChildFailedError:
        return 1
    return 0


def _options_of_launcher() -> list[str] | None:
    import psutil

    try:
        words = psutil.Process(os.getppid()).cmdline()
    except psutil.Error:
        return None
    names = [os.path.basename(word).removesuffix(".exe").removesuffix(".py") for word in words]
    place = next((n for n, name in enumerate(names) if name in LAUNCHERS), None)
    return None if place is None else words[place + 1 :]
