"""Waiting for something to become true: polled, with a deadline, never a bare sleep."""

import time

DEADLINE = 10.0


def wait_for(condition, what, deadline=DEADLINE):
    """The condition's first true value; fails, naming `what` and the last value, when the deadline passes."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {deadline} s for {what}; last seen: {value!r}")
        time.sleep(0.005)
