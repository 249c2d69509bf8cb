"""The released Keras versions whose own callbacks can be driven, each in a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_DRIVER = Path(__file__).parent / "keras_driver.py"
PREPARE = "python -m tests.differential.prepare_keras_versions"
# an environment with the TensorFlow of that time, not a wheel put in front of ours
TENSORFLOW_2_15 = "tensorflow-2.15.1"
NUMPY_1 = "numpy-1.26.4"
_TREE = ("dm-tree-0.1.10", "attrs-26.1.0")
_JAX = ("jax-0.10.2", "jaxlib-0.10.2", "opt-einsum-3.4.0")


def prepared_directory() -> Path:
    """Return where the versions are unpacked: CBREPLAY_KERAS_VERSIONS, or a cache."""
    named = os.environ.get("CBREPLAY_KERAS_VERSIONS")
    if named:
        return Path(named)
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "cbreplay" / "keras-versions"


@dataclass(frozen=True)
class KerasVersion:
    """A released Keras: what stands before TensorFlow on its path, what it is here.

    `semantics` is asked of the replay.
    """

    semantics: str
    release: str
    beside: tuple[str, ...] = ()
    backend: str = "tensorflow"

    @property
    def package(self) -> str:
        return self.release.partition("-")[0]

    @property
    def parts(self) -> tuple[str, ...]:
        """The directories that have to be prepared, in the order of the path."""
        return (self.release, *self.beside)

    @property
    def name(self) -> str:
        on = "" if self.backend == "tensorflow" else f" on {self.backend}"
        return f"{self.release} as {self.semantics}{on}"

    def is_prepared(self) -> bool:
        return all((prepared_directory() / part).is_dir() for part in self.parts)

    def ask(self, questions: Iterable[dict[str, Any]]) -> Iterator[Any]:
        """Put questions to a process of this version; see `keras_driver.answer`."""
        remaining = iter(questions)
        with tempfile.TemporaryFile("w+") as errors, self._start(errors) as process:
            asking, answers = process.stdin, process.stdout
            assert asking is not None
            assert answers is not None

            def read() -> Any:
                line = answers.readline()
                if not line:
                    errors.seek(0)
                    failure = f"{self.name}: {errors.read()[-2000:]}"
                    raise RuntimeError(failure)
                return json.loads(line)

            assert f"{self.package}-{read()}" == self.release
            # in portions, so that no side holds them all
            while portion := list(islice(remaining, 1000)):
                asking.write(json.dumps(portion) + "\n")
                asking.flush()
                yield from read()

    def _start(self, errors: IO[str]) -> subprocess.Popen[str]:
        kept = {"PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT"}
        environment = {key: os.environ[key] for key in kept & set(os.environ)}
        environment |= {
            "PYTHONPATH": path_of(self),
            "KERAS_BACKEND": self.backend,
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "CUDA_VISIBLE_DEVICES": "-1",
        }
        return subprocess.Popen(  # noqa: S603 - our own driver
            [sys.executable, "-W", "ignore", str(_DRIVER), self.package],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment,
        )


def path_of(version: KerasVersion) -> str:
    """Return what stands before the installed packages on its path."""
    return os.pathsep.join(str(prepared_directory() / part) for part in version.parts)


VERSIONS = (
    KerasVersion("keras-2.15", "keras-2.15.0", (TENSORFLOW_2_15,)),
    # with numpy 2, ReduceLROnPlateau of Keras 3.0 to 3.4 raises AttributeError: np.Inf
    KerasVersion("keras-3.0", "keras-3.0.5", (*_TREE, NUMPY_1)),
    KerasVersion("keras-3.1", "keras-3.1.1", (NUMPY_1,)),
    KerasVersion("keras-3.2", "keras-3.2.1", (NUMPY_1,)),
    KerasVersion("keras-3.3", "keras-3.3.3", (NUMPY_1,)),
    KerasVersion("keras-3.4", "keras-3.4.1", (NUMPY_1,)),
    KerasVersion("keras-3.5", "keras-3.5.0"),
    KerasVersion("keras-3.6", "keras-3.6.0"),
    KerasVersion("keras-3.7", "keras-3.7.0"),
    KerasVersion("keras-3.8", "keras-3.8.0"),
    KerasVersion("keras-3.9", "keras-3.9.2"),
    KerasVersion("keras-3.10", "keras-3.10.0"),
    KerasVersion("keras-3.11", "keras-3.11.3"),
    KerasVersion("keras-3.12", "keras-3.12.4"),
    KerasVersion("keras-3.13", "keras-3.13.2"),
    KerasVersion("keras-3.14", "keras-3.14.1"),
    KerasVersion("keras-3.15", "keras-3.15.1"),
    KerasVersion("tf_keras-2.15", "tf_keras-2.15.1", (TENSORFLOW_2_15,)),
    KerasVersion("tf_keras-2.16", "tf_keras-2.16.0", (NUMPY_1,)),
    KerasVersion("tf_keras-2.17", "tf_keras-2.17.0", (NUMPY_1,)),
    KerasVersion("tf_keras-2.18", "tf_keras-2.18.0"),
    KerasVersion("tf_keras-2.19", "tf_keras-2.19.0"),
    KerasVersion("tf_keras-2.20", "tf_keras-2.20.1"),
    KerasVersion("tf_keras-2.21", "tf_keras-2.21.0"),
    KerasVersion("tf_keras-2.18+numpy1", "tf_keras-2.18.0", (NUMPY_1,)),
    KerasVersion("tf_keras-2.21+numpy1", "tf_keras-2.21.0", (NUMPY_1,)),
    # the numpy backend of Keras 3.0 wants torch, so its rules are driven on 3.6
    KerasVersion("keras-3.6+numpy-backend", "keras-3.6.0", _JAX, "numpy"),
    KerasVersion("keras-3.7+numpy-backend", "keras-3.7.0", _JAX, "numpy"),
    KerasVersion("keras-3.11+numpy-backend", "keras-3.11.3", _JAX, "numpy"),
    KerasVersion("keras-3.15+numpy-backend", "keras-3.15.1", _JAX, "numpy"),
    KerasVersion("keras-3.6", "keras-3.6.0", _JAX, "jax"),
    KerasVersion("keras-3.15", "keras-3.15.1", _JAX, "jax"),
)
# one for every set of rules that the installed TensorFlow can run, and the newest
# tf_keras; the newest Keras is driven in the tests' own process
QUICK = (
    "keras-3.0",
    "keras-3.7",
    "keras-3.8",
    "keras-3.10",
    "keras-3.11",
    "keras-3.13",
    "keras-3.15",
    "tf_keras-2.16",
    "tf_keras-2.18",
    "tf_keras-2.21",
)
