"""Writes what the other scripts here recorded into the README and the pages of docs/."""

import json
import re
from pathlib import Path

from imdb_tutorial import (
    compare_grouped,
    load_base_run,
    load_both_ways,
    load_cost_at_use,
    load_estimate_error,
    load_preset,
    load_reviews,
    load_study,
)
from imdb_tutorial.evaluation.behaviour import Behaviour, load_behaviour
from imdb_tutorial.evaluation.intervals import Interval
from imdb_tutorial.evaluation.records import DATA, read_record

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parent
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
BLOCK = re.compile(r"(<!-- (measured[a-z-]*) -->\n).*?(<!-- /\2 -->)", re.DOTALL)


def render() -> dict[str, str]:
    """Return each block by its name, as Markdown."""
    blocks = {
        "measured": render_probe(),
        "measured-explorer": render_explorer(),
        "measured-ladder": render_ladder(),
        "measured-classifier": render_classifier(),
        "measured-base": render_base(),
        "measured-behaviour": render_behaviour(load_behaviour()),
        "measured-reading": render_reading(read_record("reading")),
        "measured-fine-tuning": render_finetuning(),
        "measured-real-size": render_real_size(),
        "measured-bill": render_bill(),
        "measured-seeds": render_seeds(),
    }
    if (DATA / "attributions.json").is_file():
        blocks["measured-attributions"] = render_attributions(read_record("attributions"))
    return blocks


def render_explorer() -> str:
    """Return the explorer's record as one sentence."""
    record = json.loads((FOLDER / "explorer_speed.json").read_text(encoding="utf-8"))
    way = record["ways"]["through the explorer"]
    return (
        f"For {record['words']} words the verdict takes {way['verdict_ms']:.0f} ms and the words' "
        f"shares {way['words_seconds']:.1f} s on {record['threads']} threads; "
        f"{record['texts_in_a_row']} texts in a row add {way['growth_mb']:.0f} MB of memory.\n"
    )


def render_ladder() -> str:
    """Return the study's ladder as Markdown."""
    preset = load_preset("laptop").replace(train_size=None, validation_size=None, test_size=None)
    reviews = load_reviews(preset)
    study = load_study()
    study.check(reviews)
    ladder = study.ladder(reviews["test"]["label"][:], reviews["test"]["film"][:])
    costs, models = load_cost_at_use(), ladder.index.str.split(", seed").str[0]
    ladder["ms a review"] = [f"{ms:.1f}" for ms in costs["ms a review"][models]]
    ladder["MB on disk"] = [f"{size:.0f}" for size in costs["MB on disk"][models]]
    ladder = ladder.drop(columns=["counting reviews", "design effect", "size"]).reset_index()
    lines = [f"| {' | '.join(ladder.columns)} |", "| --- " * len(ladder.columns) + "|"]
    lines += [f"| {' | '.join(row)} |" for row in ladder.itertuples(index=False)]
    quiet = "a quiet machine" if costs.quiet.all() else "a busy machine: orders of magnitude only"
    lines += [
        "",
        f"Milliseconds: a review of 200 words, one core, median of {costs.rounds.min()} "
        f"round(s) on {quiet}. Disk: all files that are read to answer, without the libraries. "
        "Times to train are orders of magnitude: two cores that also did other work.",
        "",
    ]
    right, films = study.ladder_right(reviews["test"]["label"][:]), reviews["test"]["film"][:]
    ahead = compare_grouped(right["packaged"], right["NB words"], films)
    lines.append(
        "NB words are a bag of words with log-count ratios as weights (Wang and Manning, 2012). "
        f"The packaged classifier less it: {ahead}. Intervals are over films.\n"
    )
    return "\n".join(lines)


def render_seeds() -> str:
    """Return the lessons' conclusions under our seeds and under others, as Markdown."""
    record = json.loads((DATA / "other_seeds.json").read_text(encoding="utf-8"))
    said = {True: "holds", False: "**does not hold**", None: "not run"}
    lines = ["| lesson | conclusion | our seeds | other seeds |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {row['lesson']} | {row['says']} | {said[row['ours']]} | {said[row['other']]} |"
        for row in record["conclusions"]
    ]
    seeds = "; ".join(f"{name} {some[0]} to {some[-1]}" for name, some in record["seeds"].items())
    return "\n".join([*lines, "", f"The other seeds: {seeds}.", ""])


def render_classifier() -> str:
    """Return the records of the packaged classifier as a few sentences."""
    taught = json.loads((DATA / "packaged_classifier/record.json").read_text(encoding="utf-8"))
    record = json.loads((FOLDER / "packaged_classifier.json").read_text(encoding="utf-8"))
    before = "; ".join(f"{asked['kept']}, {asked['test']:.2%}" for asked in taught["asked_before"])
    return (
        f"{_how_good(taught)} The test reviews were asked before, of what was kept at earlier "
        f"stages: {before}. Validation alone chose; after the first of these the rule was changed "
        f"from its accuracy to its loss, and after the second a round was added. Adapter and head "
        f"take {record['size_mb']:.1f} MB; the classifier loads in "
        f"{record['load_seconds']:.1f} s once the libraries are imported, in "
        f"{record['load_seconds_with_imports']:.1f} s from nothing, and reads 200 words in "
        f"{record['milliseconds_for_200_words']:.0f} ms.\n"
    )


def render_base() -> str:
    """Return the record of the classifier on the base-size encoder as a few sentences."""
    record = json.loads((DATA / "base_classifier/record.json").read_text(encoding="utf-8"))
    learnt, further = record["texts"], record["further"]["texts"]
    before = "; ".join(
        f"{asked['tokens']} tokens and {asked['reviews']:,} reviews learnt, {asked['test']:.2%}"
        for asked in record["asked_before"]
    )
    return (
        f"{_how_good(record)} It learnt from {learnt['reviews']:,} train reviews and "
        f"{learnt['all'] - learnt['reviews']:,} passages out of them, and later, at a lower "
        f"rate, from the other {further['reviews']:,} and "
        f"{further['all'] - further['reviews']:,} passages; from each once. Its adapter has "
        f"{record['adapter_bytes'] / 1e6:.1f} MB. The test reviews were asked before, at each "
        f"stage: {before}. Validation alone chose.\n"
    )


def _how_good(record: dict) -> str:
    """Return a taught classifier's accuracy and calibration as a sentence."""
    test, validation = (record["accuracy"][pool] for pool in ("test", "validation"))
    return (
        f"Of the {record['reviews']['test']:,} test reviews it gets {test:.2%} right, of the "
        f"validation reviews {validation:.2%}; its expected calibration error on test is "
        f"{100 * record['calibration_error']['test']:.1f} points."
    )


def render_behaviour(behaviour: Behaviour) -> str:
    """Return what models make of short and odd texts, as Markdown."""
    low, high = behaviour.unsure_band
    models, texts, pairs = behaviour.models, behaviour.texts, behaviour.pairs
    asked = {
        f"texts, {expected}": texts[(texts.kind == "all") & (texts.expected == expected)]
        for expected in ("positive", "negative", "unsure")
    }
    for kind in pairs[pairs.test.isin(["minimum functionality", "directional"])].kind.unique():
        if kind != "all":
            asked[f"pairs, {kind}"] = pairs[pairs.kind == kind]
    asked["pairs that differ in nothing that matters"] = pairs[
        (pairs.test == "invariance") & (pairs.kind == "all")
    ]
    lines = [
        "How often the answer is as expected, with 95 % intervals. Of an unsure text, the "
        f"probability of positive must stay from {low} to {high}.",
        "",
        f"| What is asked | how many | {' | '.join(models)} |",
        "| --- " * (2 + len(models)) + "|",
    ]
    for name, rows in asked.items():
        rates = [_share(row.rate, row.low, row.high) for row in rows.loc[models].itertuples()]
        lines.append(f"| {name} | {rows['count'].iloc[0]} | {' | '.join(rates)} |")
    lines += [
        "",
        "Confidence on short texts: the first sentences of validation reviews, with the review's "
        "label, and the sentences of another source. The error is the expected calibration error, "
        "in points.",
        "",
        f"| Texts | model | {' | '.join(('accuracy', 'mean confidence', 'error'))} |",
        "| --- " * 5 + "|",
    ]
    for name, rows in behaviour.calibration.groupby("texts", sort=False):
        for model, row in rows.loc[models].iterrows():
            error, below, above = (100 * share for share in row.error)
            lines.append(
                f"| {name} | {model} | {_share(*row.accuracy)} | {row.mean_confidence:.0%} | "
                f"{error:.1f} ({below:.1f} to {above:.1f}) |"
            )
    unsure = asked["texts, unsure"].loc[models[0]]
    lines += [
        "",
        f"Of the {unsure['count']} unsure texts, the packaged classifier is more than "
        f"{behaviour.sure_above:.0%} sure of {unsure.share_sure:.0%}, and calls "
        f"{unsure.share_positive:.0%} positive.",
    ]
    return "\n".join(lines) + "\n"


def render_reading(record: dict) -> str:
    """Return what comes of reading one part or another of long reviews, as Markdown."""
    head = record["ways"][0]["name"]
    taught = "head and tail"
    columns = ("all", f"all, less {taught}", "long ones", f"long ones, less {head}")
    columns += ("time", "temperature", "error")
    lines = [
        f"Accuracy on the {record['reviews']:,} validation reviews, of which "
        f"{record['long_reviews']:,} have more than {record['max_length']} tokens; differences and "
        "95 % intervals in points, over films. Time: for a long review, beside the head alone. "
        "Error: the expected calibration error, in points, without and with a temperature that "
        "was fitted on the other half of the films.",
        "",
        f"| What is read | {' | '.join(columns)} |",
        "| --- " * (1 + len(columns)) + "|",
    ]
    for way in record["ways"]:
        less_taught, less_head = (
            "{:+.1f} ({:+.1f} to {:+.1f})".format(*(100 * points for points in less))
            if less
            else ""
            for less in (way["less_taught"], way["less_head_long"])
        )
        lines.append(
            f"| {way['name']} | {way['accuracy'][0]:.1%} | {less_taught} | "
            f"{way['accuracy_long'][0]:.1%} | {less_head} | {way['times_head']:.1f} × | "
            f"{way['temperature']:.2f} | {100 * way['error_before']:.1f}, then "
            f"{100 * way['error_after']:.1f} |"
        )
    lines += ["", f"Chosen: {record['chosen']}. The rule was: {record['rule']}."]
    return "\n".join(lines) + "\n"


def render_attributions(record: dict) -> str:
    """Return how good the ways are that say which words did it, as Markdown."""
    measured = {
        (row["method"], row["measure"], row["removal"]): row
        for row in record["rows"]
        if row["unit"] == "probability"
    }
    measures, removals = (list(dict.fromkeys(key[place] for key in measured)) for place in (1, 2))
    reviews, cost = record["reviews"], record["cost"]
    lines = [
        f"{reviews['count']} {reviews['pool']} reviews of {reviews['films']} films. What the "
        "verdict's probability loses, in points, as the mean over the strongest "
        f"{', '.join(map(str, record['percents'][:-1]))} and {record['percents'][-1]} % of the "
        "words, with 95 % intervals over films. Comprehensiveness, without these words: more is "
        "better. Sufficiency, with nothing but them: less is better. Words go in two ways, so that "
        "none is favoured that itself asks about texts without words.",
        "",
        f"| Way | {' | '.join(f'{m}, {r}' for m in measures for r in removals)} | "
        f"seconds for {cost['words']} words |",
        "| --- " * (2 + len(measures) * len(removals)) + "|",
    ]
    for method in record["methods"]:
        cells = [_points(measured[method, m, r]) for m in measures for r in removals]
        timed = cost["methods"].get(method)
        seconds = f"{timed['seconds']:.2f}" if timed else ""
        name = f"{method} (control)" if method in record["controls"] else method
        lines.append(f"| {name} | {' | '.join(cells)} | {seconds} |")
    promised = (
        f"{row['method']} {row['median']:.1%}, above {row['high']:.1%} in 5 % of the reviews"
        for row in record["completeness"]
    )
    alone = (
        f"{row['method']} {row['median']:+.1f} ({row['low']:+.1f} to {row['high']:+.1f})"
        for row in record["blanks"]
    )
    alike = (
        f"{row['method']} {row['rank_correlation']:.2f} ({row['low']:.2f} to {row['high']:.2f})"
        for row in record["agreement"]["rows"]
    )
    best = record["best"]
    clearly = "clearly" if best["clearly_better_than_today"] else "not clearly"
    than_today = f"{clearly} more comprehensive than {record['today']}"
    if best["method"] == record["today"]:
        than_today = "this is what the explorer does"
    lines += [
        "",
        f"\\* differs from {record['today']}, after Holm's correction for all comparisons. "
        f"{cost['threads']} thread(s), load {cost['load']}.",
        "",
        f"By how much sums miss what they promise: {'; '.join(promised)}.",
        "",
        f"What the classifier says of the blank itself, in logits, median and middle 90 %: "
        f"{'; '.join(alone)}.",
        "",
        _agreement(record["agreement"]["classifiers"], "; ".join(alike)),
        "",
        f"The best by the record's rule: {best['method'] or 'none is quick enough'}; "
        f"{than_today}. Not shown to be less comprehensive: "
        f"{', '.join(best['not_worse']) or 'none'}.",
    ]
    return "\n".join(lines) + "\n"


def _agreement(classifiers: int, alike: str) -> str:
    if not classifiers:
        return "How alike classifiers of several seeds rank the words was not measured yet."
    return f"How alike {classifiers} classifiers rank the words (Spearman's correlation): {alike}."


def _points(row: dict) -> str:
    """Return a loss of probability in points, with a star where it differs from today's way."""
    mean, low, high = (100 * row[name] for name in ("mean", "low", "high"))
    mark = r"\*" if row["less_today"] and row["less_today"]["p_holm"] < 0.05 else ""
    return f"{mean:.1f} ({low:.1f} to {high:.1f}){mark}"


def _share(value: float, low: float, high: float) -> str:
    return f"{value:.0%} ({low:.0%} to {high:.0%})"


def render_finetuning() -> str:
    """Return the fine-tuning benchmark's record as Markdown."""
    record = json.loads((FOLDER / "finetune_speed.json").read_text(encoding="utf-8"))
    lines = [
        f"{record['reviews']} reviews in batches of {record['batch_size']}, {record['epochs']} "
        f"epochs, {record['rounds']} rounds in turn, medians; {record['threads']} threads.",
        "",
        "| Settings | seconds an epoch | times faster | accuracy on 1,000 test reviews, by round |",
        "| --- | --- | --- | --- |",
    ]
    for way, seconds in record["median_seconds_per_epoch"].items():
        faster = record["times_faster"].get(way, 1)
        rounds = "; ".join(str(Interval(*values, 0)) for values in record["test_accuracy"][way])
        lines.append(f"| {way} | {seconds:.1f} | {faster:.1f} | {rounds} |")
    return "\n".join(lines) + "\n"


def render_probe() -> str:
    """Return the probe's records as Markdown."""
    speed = json.loads((FOLDER / "probe_speed.json").read_text(encoding="utf-8"))
    growth = json.loads((FOLDER / "probe_growth.json").read_text(encoding="utf-8"))
    precision = "with" if speed["native_bfloat16"] else "without"
    lines = [
        f"{speed['reviews']} random reviews, {speed['rounds']} rounds in turn, medians; "
        f"{speed['threads']} threads, {precision} native bfloat16. A token counts only when it was "
        "text.",
        "",
        "| Way | tokens a second | thirty epochs, 2,000 + 500 reviews |",
        "| --- | --- | --- |",
    ]
    for name, tokens in speed["tokens_a_second"].items():
        lines.append(f"| {name} | {tokens:,} | {speed['run_seconds'][name]:,.0f} s |")
    lines += ["", "| Ratio | times faster |", "| --- | --- |"]
    lines += [f"| {name} | {value:.1f} |" for name, value in speed["ratios"].items()]
    lines += ["", "| Reviews | seconds for their features | peak memory |", "| --- | --- | --- |"]
    for row in growth:
        lines.append(
            f"| {row['reviews']:,} | {row['seconds']:.0f} | {row['peak_memory_mb']:,} MB |"
        )
    return "\n".join(lines) + "\n"


def render_real_size() -> str:
    """Return the runs of the real size as Markdown."""
    run = load_base_run()
    lines = [
        f"All {sum(run.reviews.values()):,} reviews, read once on one {run.device} in {run.dtype}.",
        "",
        "| Encoder | seconds | tokens a second | share of the matrix rate | [CLS] | mean |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, accuracies in run.accuracies.items():
        lines.append(
            f"| {name} | {run.seconds[name]:.1f} | {run.tokens_per_second[name]:,} | "
            f"{run.share_of_matrix_rate[name]:.0%} | {accuracies['cls']} | {accuracies['mean']} |"
        )
    lines += [
        "",
        "The same thirty epochs both ways, in turn, on a part, extrapolated to all train and "
        "validation reviews:",
        "",
        "| Encoder, device | way | tokens a second | seconds | times faster |",
        "| --- | --- | --- | --- | --- |",
    ]
    for ways in load_both_ways():
        for way, seconds in ways.seconds.items():
            lines.append(
                f"| {ways.encoder}, {ways.device} | {way} | {ways.tokens_per_second[way]:,} | "
                f"{seconds:,.0f} | {ways.times_faster.get(way, 1):,.0f} |"
            )
    return "\n".join(lines) + "\n"


def render_bill() -> str:
    """Return how far bills were from runs, as Markdown."""
    error = load_estimate_error()
    lines = [
        f"{sum(error.reviews.values())} reviews, {error.encoder}; {error.device}.",
        "",
        f"| Load | {' | '.join(f'bill / run, {way}' for way in error.ratios)} |",
        "| --- " * (1 + len(error.ratios)) + "|",
    ]
    for number, load in enumerate(error.loads):
        ratios = " | ".join(f"{each[number]:.2f}" for each in error.ratios.values())
        lines.append(f"| {load:.1f} | {ratios} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Replace the pages' blocks of measurements."""
    blocks = render()
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        page.write_text(BLOCK.sub(lambda b: b[1] + blocks[b[2]] + b[3], text), encoding="utf-8")


if __name__ == "__main__":
    main()
