"""Counts what passed and what failed."""


class Tally:
    def __init__(self):
        self.passed = self.failed = 0

    def check(self, name, problem):
        """Counts one check; `problem` is None when it passed."""
        if problem is None:
            self.passed += 1
        else:
            self.failed += 1
            print(f"{name}: {problem}")

    def finish(self):
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed else 0
