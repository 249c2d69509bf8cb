"""How long reading event files takes, beside TensorBoard's readers and tbparse.

    python benchmarks/event_reader.py [--rounds N] [--sets b d big]

Three sets are written into a temporary directory: b, 20 tags x 10,000 steps in one
file; d, 200 runs of two files each; big, 20,000 scalars among 40,000 histograms and a
graph of 20 MB. Each reader takes each set in a process of its own, once its imports
are done and it has read a tiny file: CPU time of the process (and of the server that
TensorBoard's Rust loader is), least of the rounds, and how far the peak of its memory
lies above that before the reading. A reader that is not installed is left out.

What each does: "scalars" gets every scalar as a number, with its tag, step and wall
time; "load_runs" goes on to cbreplay's runs. "EventAccumulator" loads and keeps all
points; "and values" also makes numbers of them. All check the checksums but tbparse,
which reads what EventAccumulator does.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.data.grpc_provider import GrpcDataProvider

WALL = 1_790_000_000.0


def masked(content: bytes) -> bytes:
    from google_crc32c import value

    crc = value(content)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def record(payload: bytes) -> bytes:
    length = struct.pack("<Q", len(payload))
    return length + masked(length) + payload + masked(payload)


def varint(number: int) -> bytes:
    encoded = b""
    while number > 0x7F:  # noqa: PLR2004 - seven bits a byte
        encoded += bytes([number & 0x7F | 0x80])
        number >>= 7
    return encoded + bytes([number])


def message(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def event(wall_time: float, step: int, content: bytes) -> bytes:
    head = b"\x09" + struct.pack("<d", wall_time) + b"\x10" + varint(step)
    return record(head + content)


def summary(tag: str, tensor: bytes, plugin: bytes) -> bytes:
    metadata = message(9, message(1, message(1, plugin)))
    return message(5, message(1, message(1, tag.encode()) + tensor + metadata))


def scalar(wall_time: float, step: int, tag: str, number: float) -> bytes:
    """Return a record of the bytes that TensorFlow 2 writes."""
    raw = message(4, struct.pack("<f", number))
    tensor = message(8, b"\x08\x01\x12\x00" + raw)
    return event(wall_time, step, summary(tag, tensor, b"scalars"))


def histogram(wall_time: float, step: int, tag: str, content: bytes) -> bytes:
    shape = message(2, message(2, b"\x08\x1e") + message(2, b"\x08\x03"))
    tensor = message(8, b"\x08\x02" + shape + message(4, content))
    return event(wall_time, step, summary(tag, tensor, b"histograms"))


VERSION = record(b"\x09" + struct.pack("<d", WALL) + message(3, b"brain.Event:2"))


def write_b(directory: Path) -> None:
    tags = [f"epoch_metric_{i:02}" for i in range(20)]
    points = ((step, tag) for step in range(10_000) for tag in tags)
    write(directory / "train", (scalar(*numbered(i, *p)) for i, p in enumerate(points)))


def write_d(directory: Path) -> None:
    train = ["epoch_loss", "epoch_accuracy", "epoch_auc", "epoch_learning_rate"]
    validation = [
        "evaluation_loss_vs_iterations",
        "epoch_loss",
        "epoch_accuracy",
        "epoch_auc",
    ]
    for run in range(200):
        for writer, tags in (("train", train), ("validation", validation)):
            points = [(step, tag) for step in range(250) for tag in tags]
            # no run is a copy of another
            first = run * (len(points) + 1)
            records = (scalar(*numbered(i, *p)) for i, p in enumerate(points, first))
            write(directory / f"run{run:03}" / writer, records)


def write_big(directory: Path) -> None:
    def records() -> Iterator[bytes]:
        yield event(WALL, 0, message(4, os.urandom(20_000_000)))
        for step in range(4_000):
            for i in range(5):
                yield scalar(*numbered(step, step, f"epoch_metric_{i}"))
            for i in range(10):
                tag = f"dense_{i}/kernel"
                yield histogram(WALL + step, step, tag, os.urandom(720))

    write(directory / "train", records())


def numbered(i: int, step: int, tag: str) -> tuple[float, int, str, float]:
    return WALL + i * 0.01, step, tag, (i * 0.618) % 1


def write(directory: Path, records: Iterator[bytes]) -> None:
    directory.mkdir(parents=True)
    with (directory / "events.out.tfevents.1790000000.host.1.0.v2").open("wb") as file:
        file.write(VERSION)
        file.writelines(records)


WRITERS: dict[str, Callable[[Path], None]] = {
    "b": write_b,
    "d": write_d,
    "big": write_big,
}


def event_directories(root: Path) -> list[str]:
    return sorted({str(path.parent) for path in root.rglob("*tfevents*")})


def read_scalars(root: Path) -> int:
    from cbreplay.readers.event_files.reading import read_events

    return sum(read_events(str(path)).n_scalars for path in root.rglob("*tfevents*"))


def read_load_runs(root: Path) -> int:
    from cbreplay import load_runs

    runs = load_runs(root)
    held = [*(one for run in runs for one in run.series.values())]
    held += [run.learning_rate for run in runs if run.learning_rate is not None]
    return sum(int(series.recorded.sum()) for series in held)


def accumulators(root: Path) -> Iterator[EventAccumulator]:
    from tensorboard.backend.event_processing import event_accumulator as ea

    everything = {ea.TENSORS: 0, ea.SCALARS: 0, ea.HISTOGRAMS: 1, ea.IMAGES: 1}
    for directory in event_directories(root):
        yield ea.EventAccumulator(directory, size_guidance=everything).Reload()


def scalar_tags(accumulator: EventAccumulator) -> list[str]:
    return list(accumulator.PluginTagToContent("scalars"))


def read_accumulator(root: Path) -> int:
    return sum(
        len(one.Tensors(tag)) for one in accumulators(root) for tag in scalar_tags(one)
    )


def read_accumulator_values(root: Path) -> int:
    from tensorboard.util.tensor_util import make_ndarray

    return sum(
        len([(p.wall_time, p.step, make_ndarray(p.tensor_proto).item())])
        for one in accumulators(root)
        for tag in scalar_tags(one)
        for p in one.Tensors(tag)
    )


def read_tbparse(root: Path) -> int:
    from tbparse import SummaryReader

    # a scalar that a tensor holds is to it a tensor
    frame = SummaryReader(str(root), event_types={"scalars", "tensors"}).tensors
    return int(frame["tag"].str.match("epoch_|evaluation_").sum())


def read_rust(root: Path) -> int:
    """Load with TensorBoard's data server, and fetch all points through gRPC."""
    import grpc
    import tensorboard_data_server
    from tensorboard.data import grpc_provider
    from tensorboard.data.proto import data_provider_pb2_grpc

    with tempfile.TemporaryDirectory() as scratch:
        port_file = Path(scratch) / "port"
        server = subprocess.Popen(  # noqa: S603 - TensorBoard's own server
            [
                str(tensorboard_data_server.server_binary()),
                f"--logdir={root}",
                "--reload=once",
                "--port=0",
                f"--port-file={port_file}",
                "--die-after-stdin",
                "--samples-per-plugin=scalars=all,tensors=1,histograms=1",
            ],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        try:
            while not (port_file.exists() and port_file.read_text().strip()):
                time.sleep(0.01)
            options = [("grpc.max_receive_message_length", 1 << 30)]
            address = f"localhost:{port_file.read_text().strip()}"
            channel = grpc.insecure_channel(address, options=options)
            stub = data_provider_pb2_grpc.TensorBoardDataProviderStub(channel)
            provider = grpc_provider.GrpcDataProvider(address, stub)
            return fetch(provider, len(event_directories(root)))
        finally:
            server.communicate()


def fetch(provider: GrpcDataProvider, n_runs: int) -> int:
    """Ask until nothing is added: the server answers while it still loads."""
    from tensorboard import context

    n_points, before = 0, -1
    while n_points != before or not n_points:
        before = n_points
        found = provider.read_scalars(
            context.RequestContext(),
            experiment_id="",
            plugin_name="scalars",
            downsample=10**9,
        )
        n_points = sum(len(tag) for run in found.values() for tag in run.values())
        if len(found) < n_runs:
            before = -1
    return n_points


READERS: dict[str, Callable[[Path], int]] = {
    "cbreplay, scalars": read_scalars,
    "cbreplay, load_runs": read_load_runs,
    "EventAccumulator": read_accumulator,
    "EventAccumulator and values": read_accumulator_values,
    "TensorBoard's Rust loader, gRPC": read_rust,
    "tbparse": read_tbparse,
}
PEER = "EventAccumulator"


def measure_here(reader: str, root: Path, warm_up: Path) -> dict[str, float]:
    """Read in this process; printed for the parent."""
    read = READERS[reader]
    read(warm_up)
    children = resource.RUSAGE_CHILDREN
    before, started = resource.getrusage(children), time.process_time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    n_points = read(root)
    own = time.process_time() - started
    after = resource.getrusage(children)
    served = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak
    return {
        "cpu": own + served,
        "memory": more * 1024,
        "points": n_points,
        "tensorflow": "tensorflow" in sys.modules,
    }


def measure(reader: str, root: Path, warm_up: Path) -> dict[str, float] | None:
    command = [sys.executable, __file__, "--one", reader, str(root), str(warm_up)]
    # the threads of numpy's BLAS, which no reader uses, spin for 40 ms after its import
    quiet = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(  # noqa: S603 - ourselves
        command, check=False, capture_output=True, text=True, env=quiet
    )
    if done.returncode:
        if "ModuleNotFoundError" not in done.stderr:
            sys.stderr.write(done.stderr)
        return None
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Print a table of each set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sets", nargs="+", choices=WRITERS, default=list(WRITERS))
    parser.add_argument("--readers", nargs="+", choices=READERS, default=list(READERS))
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(measure_here(asked.one[0], *map(Path, asked.one[1:]))))
        return
    with tempfile.TemporaryDirectory() as scratch:
        warm_up = Path(scratch) / "warm-up"
        write(warm_up / "train", iter([scalar(WALL, 0, "epoch_loss", 1.0)]))
        for name in asked.sets:
            root = Path(scratch) / name
            WRITERS[name](root)
            print_set(name, root, warm_up, asked.readers, asked.rounds)


def print_set(
    name: str, root: Path, warm_up: Path, readers: list[str], rounds: int
) -> None:
    size = sum(path.stat().st_size for path in root.rglob("*tfevents*"))
    best: dict[str, dict[str, float]] = {}
    for _ in range(rounds):
        for reader in readers:
            found = measure(reader, root, warm_up)
            if found and found["cpu"] < best.get(reader, {"cpu": 1e9})["cpu"]:
                best[reader] = found
    print(f"\nset {name}, {size / 1e6:.1f} MB")
    print(f"{'':32}   CPU s   scalars  {PEER} is   peak memory  TensorFlow")
    peer = best.get(PEER, {"cpu": float("nan")})["cpu"]
    for reader, one in best.items():
        print(
            f"{reader:32} {one['cpu']:7.3f} {one['points']:9.0f}  "
            f"{peer / one['cpu']:14.1f} x  {one['memory'] / size:8.1f} x   "
            f"{'imported' if one['tensorflow'] else '-'}"
        )


if __name__ == "__main__":
    main()
