"""The metric `grammar` from end to end on a machine that has LanguageTool; not part of `python -m bench`.

    python -m bench.languagetool local                    (the extra `grammar`, Java 17, an installed LanguageTool)
    python -m bench.languagetool http://localhost:8081    (a server that already runs)

Starts or finds the server, checks sentences whose errors anyone can count, and says version and speed. Exit status 1
where LanguageTool does not answer as expected.
"""

from __future__ import annotations

import sys
import time

from bench.record import record
from mspgt.errors import MspgtError
from mspgt.interventions.grammar import errors_of, languagetool
from mspgt.interventions.metrics import rate_scores, value

# LanguageTool may find more in the second kind, never nothing; in the first kind it finds nothing.
CORRECT = ("The cat sat on the mat.", "She has lived in Paris for ten years.", "Nobody knew why.")
WRONG = ("This is an test.", "He go to school every day.", "I has teh book.", "The the rain fell.")


def main() -> int:
    if len(sys.argv) not in (2, 3):
        sys.stderr.write(f"{__doc__}\n")
        return 2
    try:
        with languagetool(sys.argv[1], wanted=sys.argv[2] if len(sys.argv) == 3 else None) as server:
            faults = [f"{text!r}: {server.errors(text)} errors, expected none" for text in CORRECT
                      if server.errors(text)]  # fmt: skip
            faults += [f"{text!r}: no error found" for text in WRONG if not server.errors(text)]
            text = " ".join(CORRECT + WRONG) + " <b>&amp;</b> \x00\x1b naïve 😀"
            texts = [f"{text} {number}" for number in range(50)]
            started = time.perf_counter()
            scores = rate_scores(errors_of(texts, server.errors), texts)
            seconds = time.perf_counter() - started
            rate = float(value(scores.law, scores.sums.sum(axis=0)))
    except MspgtError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for fault in faults:
        sys.stderr.write(f"{fault}\n")
    figures = {
        "version": server.version,
        "errors_per_100_words": round(rate, 2),
        "texts_a_second": round(50 / seconds, 1),
        "as_expected": not faults,
    }
    record("languagetool", figures)
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
