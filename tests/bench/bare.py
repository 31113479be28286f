"""The bare pipeline of the shared folder, measured beside ours: the least that a gate can do for each mail."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import sys
from argparse import Namespace
from pathlib import Path

from tests.bench.corpus import SHARED, Corpus


def measure(corpus: Corpus, connections: int, kept: bool, work: Path) -> dict[str, float] | None:
    """Messages per second of one run; None where the shared folder is not there.

    It parses, finds the thread, makes one durable commit and one acknowledgement, and sends nothing.
    """
    if corpus.folder is None:
        return None
    os.environ["PEERBENCH"] = str(work)
    if str(SHARED) not in sys.path:
        sys.path.insert(0, str(SHARED))
    library, pipeline = importlib.import_module("benchlib"), importlib.import_module("limits_pipeline")
    work.mkdir(parents=True, exist_ok=True)
    mails = library.load(corpus.folder)
    told = io.StringIO()
    try:
        with contextlib.redirect_stdout(told):
            options = Namespace(n=len(mails), runs=1)
            pipeline.through_smtp(options, mails, "compat32", "asyncio", connections, None if kept else 1, False)
    finally:
        library.stop_all()
    found = json.loads(told.getvalue())
    return {"processed_per_s": found["msgs_s"], "peak_pss_mb_bare": found["pss_mb"]}
