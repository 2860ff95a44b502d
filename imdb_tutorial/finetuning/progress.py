"""How a fine-tuning run shows itself."""

import time
from pathlib import Path

from transformers import TrainerCallback

from imdb_tutorial.machine.progress import progress_bar


class ProgressPrinter(TrainerCallback):
    """One bar over all steps and one line an epoch, instead of the Trainer's live table."""

    def on_train_begin(self, args, state, control, **kwargs):
        spent = [entry["seconds"] for entry in state.log_history if "seconds" in entry]
        self.started = time.monotonic() - (spent[-1] if spent else 0)
        # The state remembers a whole path, and the folder may have been moved.
        best = Path(args.output_dir) / f"checkpoint-{state.best_global_step}"
        if best.is_dir():
            state.best_model_checkpoint = str(best)
        self.bar = progress_bar(
            total=state.max_steps, initial=state.global_step, desc="fine-tuning"
        )

    def on_step_end(self, args, state, control, **kwargs):
        self.bar.update()

    def on_evaluate(self, args, state, control, **kwargs):
        state.log_history[-1]["seconds"] = time.monotonic() - self.started
        loss = next(entry["loss"] for entry in reversed(state.log_history) if "loss" in entry)
        accuracy = kwargs["metrics"]["eval_accuracy"]
        self.bar.write(f"epoch {state.epoch:2.0f}  loss {loss:.4f}  accuracy {accuracy:.1%}")

    def on_train_end(self, args, state, control, **kwargs):
        self.bar.close()
