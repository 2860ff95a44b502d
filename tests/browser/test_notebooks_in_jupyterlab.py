"""The lessons, opened and run as a reader does it."""


def test_the_frozen_bert_lesson_runs_to_its_end(lab):
    lab.open("04_frozen_bert_probe.ipynb")
    cells = lab.run_all(timeout_s=900)
    errors = [o for c in cells for o in c["outputs"] if o["output_type"] == "error"]
    assert not errors
    assert len(cells) > 20
    pictures = [o for c in cells for o in c["outputs"] if "image/png" in o.get("data", {})]
    assert len(pictures) == 3
