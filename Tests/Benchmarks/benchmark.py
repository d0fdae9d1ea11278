"""Measures the worker beside its floor, and what its users feel: see Tests/Benchmarks/run.

Everything is a process of its own on loopback. A ratio is the median of ratios of neighbouring runs: the machine's other
work weighs on both alike.
"""
import argparse
import collections
import contextlib
import json
import os
import random
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import uuid
from datetime import datetime, timezone
from pathlib import Path

import pika

ROOT = Path(__file__).resolve().parents[2]
PARTNER = "22222222-2222-4222-8222-222222222222"
RESOURCE = "00000003-0000-0000-c000-000000000000"
EVENTS = "benchmark.events"
CUSTOMERS = 5000
PREFETCH, IN_FLIGHT = 200, 100
TOKEN_LENGTH = 1399


def identifier(kind, number):
    return f"{kind:08x}-0000-4000-8000-{number:012x}"


def application(generation, number):
    return identifier(0xA0000 + generation, number)


class Process:
    """A child that is stopped by its own pid."""

    def __init__(self, arguments, log, **options):
        self.log = log
        self.file = open(log, "ab")
        self.started = time.monotonic_ns()
        self.child = subprocess.Popen(
            [str(argument) for argument in arguments], stderr=self.file, stdin=subprocess.DEVNULL,
            **{"stdout": self.file, **options})
        self.usage = None

    def stop(self, number=signal.SIGTERM):
        """Its exit code; `usage` then has what it used in all its life."""
        if self.usage is None:
            os.kill(self.child.pid, number)
            _, status, self.usage = os.wait4(self.child.pid, 0)
            self.child.returncode = os.waitstatus_to_exitcode(status)
            self.file.close()
        return self.child.returncode

    @property
    def cpu(self):
        """Processor seconds until now, or of all its life once it has ended."""
        if self.usage:
            return self.usage.ru_utime + self.usage.ru_stime
        fields = Path(f"/proc/{self.child.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self, name):
        """VmRSS or VmHWM in MB."""
        for line in Path(f"/proc/{self.child.pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) / 1024
        raise RuntimeError(f"no {name}")

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        """A process that ends otherwise than it was asked to has failed."""
        code = self.stop()
        if kind is None and code not in (0, -signal.SIGTERM):
            raise RuntimeError(f"{self.child.args[0]} ended with {code}:\n{Path(self.log).read_text()[-2000:]}")

    def alive(self):
        # Not reaped here: how much it used is told only once.
        if os.waitid(os.P_PID, self.child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            raise RuntimeError(f"{self.child.args[0]} has ended:\n{Path(self.log).read_text()[-2000:]}")


class Stub(Process):
    def __init__(self, scene, delay=0.0):
        super().__init__([scene.programs / "stub", int(delay * 1e6)], scene.folder / "stub.log", stdout=subprocess.PIPE)
        self.port = int(self.child.stdout.readline())

    def figures(self):
        """What arrived since the last such question."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/figures") as answer:
            return json.load(answer)


class Scene:
    """A broker, and a folder for everything."""

    def __init__(self, stack, binaries, programs):
        self.binaries, self.programs = binaries, programs
        self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="consent-benchmark.")))
        self.broker_port = next(port for port in random.sample(range(12000, 12700), 50)
                                if all(free(port + offset) for offset in (0, 10000, 20000)))
        self.broker = Process([ROOT / "deploy/private-broker", self.folder / "broker", self.broker_port],
                              self.folder / "broker.log")
        stack.callback(self.stop_broker)
        eventually("the broker", lambda: not free(self.broker_port), 60, self.broker)
        self.connection = self.connect()
        stack.callback(self.close)
        self.channel = self.connection.channel()
        self.generation = 0
        os.umask(0o077)
        (self.folder / "tokens").mkdir()
        (self.folder / "tokens" / PARTNER).write_text("refresh-token")
        (self.folder / "secret").write_text("client-secret")

    def connect(self):
        return pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", self.broker_port, heartbeat=0))

    def close(self):
        with contextlib.suppress(pika.exceptions.AMQPError):
            self.connection.close()

    def stop_broker(self):
        self.broker.stop()
        environment = {**os.environ, "ERL_EPMD_ADDRESS": "127.0.0.1", "ERL_EPMD_PORT": str(self.broker_port + 10000)}
        subprocess.run(["epmd", "-kill"], env=environment, capture_output=True, check=False)

    def configure(self, api, applications=1, lines=("limits: none",)):
        """Writes a configuration of applications that the broker has not seen."""
        self.generation += 1
        url = f"http://127.0.0.1:{api.port}"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.admin = probe.getsockname()[1]
        members = ["clientSecretFile: secret", "refreshTokens: tokens", f"prefetch: {PREFETCH}",
                   f"maxInFlight: {IN_FLIGHT}", *lines]
        text = [f'amqp: {{url: "amqp://guest:guest@127.0.0.1:{self.broker_port}/%2f"}}',
                f'endpoints: {{partnerCenter: "{url}", graph: "{url}/v1.0", identity: "{url}"}}',
                f'admin: {{listen: "127.0.0.1:{self.admin}"}}', "log: {level: info}", "applications:"]
        for number in range(applications):
            text += [f"  - applicationId: {application(self.generation, number)}", *(f"    {member}" for member in members)]
        (self.folder / "worker.yaml").write_text("\n".join(text) + "\n")
        subprocess.run([self.binaries / "consent-worker", "declare-topology", "--config", self.folder / "worker.yaml"],
                       check=True, capture_output=True)
        self.channel.queue_declare(EVENTS, durable=True, arguments={"x-queue-type": "quorum"})
        self.channel.queue_bind(EVENTS, "consent.events", "#")
        self.channel.queue_purge(EVENTS)

    def worker(self, wrapper=(), executable=None):
        return Process([*wrapper, executable or self.binaries / "consent-worker", "run", "--config", self.folder / "worker.yaml"],
                       self.folder / "worker.log")

    def floor(self, api, wrapper=()):
        return Process([*wrapper, self.programs / "floor", self.broker_port, f"consent.commands.{application(self.generation, 0)}",
                        api.port, PREFETCH, IN_FLIGHT, TOKEN_LENGTH], self.folder / "floor.log")

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/readyz", timeout=2):
                return True
        except OSError:
            return False

    def publish(self, count, applications=1):
        for number in range(count):
            command(self.channel, number, application(self.generation, number % applications))

    def events(self):
        return self.channel.queue_declare(EVENTS, passive=True).method.message_count

    def expect_events(self, count, process, limit=600):
        eventually(f"{count} events", lambda: self.events() >= count, limit, process, pause=0.02)
        if self.events() != count:
            raise RuntimeError(f"{self.events()} events for {count} commands")


def command(channel, number, app):
    customer = identifier(0xC, number % CUSTOMERS)
    body = {"contract": "1", "command": "grant", "commandId": str(uuid.uuid4()), "partnerTenantId": PARTNER,
            "customerId": customer, "applicationId": app,
            "applicationGrants": [{"enterpriseApplicationId": RESOURCE, "scope": "User.Read,Directory.Read.All"}],
            "issuedAt": datetime.now(timezone.utc).isoformat(timespec="milliseconds")}
    properties = pika.BasicProperties(content_type="application/json", delivery_mode=2, correlation_id=f"order-{number}",
                                      message_id=body["commandId"])
    channel.basic_publish("consent.commands", f"{app}.{customer}", json.dumps(body, separators=(",", ":")), properties)


def free(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def eventually(what, condition, limit, process=None, pause=0.05):
    end = time.monotonic() + limit
    while not condition():
        if process:
            process.alive()
        if time.monotonic() > end:
            raise RuntimeError(f"{what}: not within {limit} s")
        time.sleep(pause)


# --- What is measured

def lifetime(scene, start, count):
    """One process from its start to its end, with `count` commands that wait when it comes."""
    scene.channel.queue_purge(EVENTS)
    scene.publish(count)
    process = start()
    with process:
        if count:
            scene.expect_events(count, process)
        else:
            time.sleep(1)
            process.alive()
        peak = process.memory("VmHWM")
    return process.cpu, peak


def cost(scene, count, rounds):
    """Processor time, speed and memory of the worker and of the floor, in turns."""
    with Stub(scene) as api:
        scene.configure(api)
        sides = {"worker": scene.worker, "floor": lambda: scene.floor(api)}
        idle = {name: statistics.median(lifetime(scene, start, 0)[0] for _ in range(3)) for name, start in sides.items()}
        figures = {name: {"cpuMicroseconds": [], "commandsPerSecond": [], "peakMB": []} for name in sides}
        for _ in range(rounds):
            for name, start in sides.items():
                scene.connection.process_data_events()
                api.figures()
                cpu, peak = lifetime(scene, start, count)
                seen = api.figures()
                if seen["requests"] != count:
                    raise RuntimeError(f"{seen['requests']} requests for {count} commands")
                figures[name]["cpuMicroseconds"].append((cpu - idle[name]) / count * 1e6)
                figures[name]["commandsPerSecond"].append(count / (seen["lastNs"] - seen["firstNs"]) * 1e9)
                figures[name]["peakMB"].append(peak)
    ratios = [worker / floor for worker, floor in zip(*(figures[name]["cpuMicroseconds"] for name in sides))]
    result = {name: {key: statistics.median(values) for key, values in side.items()} for name, side in figures.items()}
    return {"commands": count, "rounds": rounds, **result, "cpuRatio": statistics.median(ratios), "cpuRatios": ratios}


def paced(scene, rate, seconds, lines, applications=1, delay=0.0, poisson=False, start=None):
    """Processor time a command at a steady rate, and how long commands take from publish to event."""
    with Stub(scene, delay) as api:
        scene.configure(api, applications, lines)
        with (start(api) if start else scene.worker()) as process:
            if not start:
                eventually("readiness", scene.is_ready, 60, process)
            # Tokens and connections are there, and permits flow.
            scene.publish(max(100, applications), applications)
            scene.expect_events(max(100, applications), process)
            time.sleep(2)
            scene.channel.queue_purge(EVENTS)
            count = int(rate * seconds)
            before = process.cpu
            publisher = subprocess.Popen(
                [sys.executable, __file__, "--publish", json.dumps([scene.broker_port, scene.generation, rate, count, applications, poisson])],
                stdout=subprocess.PIPE)
            arrivals = collect(scene, count, process, seconds + 120)
            published = json.loads(publisher.stdout.read())
            publisher.wait()
            cpu = (process.cpu - before) / count * 1e6
    took = sorted((arrivals[name] - at) / 1e6 - delay * 1e3 for name, at in published.items())
    return {"rate": rate, "commands": count, "cpuMicroseconds": cpu, "apiMilliseconds": delay * 1e3,
            "addedMilliseconds": {"p50": quantile(took, 0.5), "p99": quantile(took, 0.99), "max": took[-1]}}


def collect(scene, count, process, limit):
    """When each event came, by its correlation ID."""
    arrivals = {}
    end = time.monotonic() + limit
    for method, properties, _ in scene.channel.consume(EVENTS, auto_ack=True, inactivity_timeout=1):
        if method:
            arrivals[properties.correlation_id] = time.monotonic_ns()
        if len(arrivals) == count:
            break
        process.alive()
        if time.monotonic() > end:
            raise RuntimeError(f"{len(arrivals)} of {count} events came")
    scene.channel.cancel()
    return arrivals


def publish_paced(broker_port, generation, rate, count, applications, poisson):
    """Another process's part of `paced`: publishes and prints when what was published."""
    source = random.Random(1)
    channel = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", broker_port, heartbeat=0)).channel()
    published = {}
    due = time.monotonic()
    for number in range(count):
        due += source.expovariate(rate) if poisson else 1 / rate
        time.sleep(max(0, due - time.monotonic()))
        published[f"order-{number}"] = time.monotonic_ns()
        command(channel, number, application(generation, number % applications))
    print(json.dumps(published))


def scraped(scene, rate, seconds):
    """As `paced`, while /metrics is read all the time: how long a scrape takes, and what it costs the commands."""
    took, ended = [], threading.Event()

    def scrape():
        while not ended.wait(0.1):
            began = time.monotonic()
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{scene.admin}/metrics", timeout=5) as answer:
                    answer.read()
            except OSError:
                # Not up yet, or no longer.
                continue
            took.append((time.monotonic() - began) * 1e3)

    thread = threading.Thread(target=scrape)
    without = paced(scene, rate, seconds, ["limits: none"])
    thread.start()
    try:
        during = paced(scene, rate, seconds, ["limits: none"])
    finally:
        ended.set()
        thread.join()
    took.sort()
    return {"scrapes": len(took), "scrapeMilliseconds": {"p50": quantile(took, 0.5), "max": took[-1]},
            "without": without, "during": during}


def quantile(ordered, share):
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def first_command(scene, rounds):
    """Seconds from the start of the process to the first request, where the broker knows the worker already."""
    took = []
    with Stub(scene) as api:
        scene.configure(api)
        with scene.worker() as worker:
            eventually("readiness", scene.is_ready, 60, worker)
        for _ in range(rounds):
            scene.publish(1)
            api.figures()
            arrivals = []
            with scene.worker() as worker:
                eventually("the request", lambda: arrivals.append(api.figures()["firstNs"]) or arrivals[-1], 30, worker)
            took.append((arrivals[-1] - worker.started) / 1e9)
    return {"seconds": statistics.median(took), "all": took}


def flatness(scene, count, steps):
    """Memory of one worker over many commands, in MB after each part of them."""
    sizes = []
    with Stub(scene) as api:
        scene.configure(api)
        with scene.worker() as worker:
            for _ in range(steps):
                scene.channel.queue_purge(EVENTS)
                scene.publish(count // steps)
                scene.expect_events(count // steps, worker)
                sizes.append(worker.memory("VmRSS"))
    return {"commands": count, "residentMB": sizes}


def instructions(scene, few, many):
    """Instructions a command as callgrind counts them: repeatable, whatever else the machine does."""
    counts = {name: sum(parts.values()) for name, parts in counted(scene, few, many).items()}
    return {**counts, "ratio": counts["worker"] / counts["floor"]}


def stages(scene, few, many):
    """The same by what they are for: the worker's modules, the libraries under it."""
    return {name: dict(sorted(((part, count) for part, count in parts.items() if count >= 500), key=lambda item: -item[1]))
            for name, parts in counted(scene, few, many).items()}


def counted(scene, few, many):
    """Instructions a command by part, of worker and floor: what `many` commands take more than `few` do."""
    result = {}
    # callgrind does not understand the Swift compiler's debugging information.
    executable = scene.folder / "consent-worker"
    subprocess.run(["strip", "--strip-debug", "-o", executable, scene.binaries / "consent-worker"], check=True)
    with Stub(scene) as api:
        scene.configure(api)
        for name, start in {"worker": lambda wrapper: scene.worker(wrapper, executable),
                            "floor": lambda wrapper: scene.floor(api, wrapper)}.items():
            runs = []
            for count in (few, many):
                output = scene.folder / f"callgrind.{name}"
                scene.channel.queue_purge(EVENTS)
                scene.publish(count)
                wrapper = ["env", f"LD_PRELOAD={scene.programs}/sigsuspend.so", "valgrind", "--tool=callgrind", "-q",
                           f"--callgrind-out-file={output}"]
                with start(wrapper=wrapper) as process:
                    scene.expect_events(count, process)
                runs.append(costs(output))
            result[name] = {part: (runs[1][part] - runs[0][part]) / (many - few) for part in runs[0] | runs[1]}
    return result


MEMORY = re.compile(r"^(_?_?(libc_)?(malloc|free|calloc|realloc|memalign)|_int_(malloc|free|realloc|memalign)|unlink_chunk"
                    r"|malloc_consolidate|cfree|tcache_|sysmalloc|systrim|arena_get)")


def part(library, function):
    """What a function is for: its library, or its module in the worker's executable."""
    if library.startswith("libc.so"):
        return "memory" if MEMORY.match(function) else "C library"
    if library == "consent-worker":
        mangled = re.match(r"\$s(\d+)", function)
        if mangled:
            begin = mangled.end()
            return function[begin:begin + int(mangled[1])]
    return re.sub(r"(-linux.*)?\.so.*", "", library)


def costs(output):
    """Instructions by part, from callgrind's file: https://valgrind.org/docs/manual/cl-format.html"""
    names, result = {}, collections.Counter()
    library = current = ""
    is_call = False
    for line in output.read_text().splitlines():
        match = re.match(r"(c?fn|c?ob)=\((\d+)\)(?: (.*))?$", line)
        if match:
            kind, number, name = match.groups()
            key = (kind[-2:], number)
            names[key] = name or names[key]
            if kind == "ob":
                library = os.path.basename(names[key])
            elif kind == "fn":
                current = part(library, names[key])
        elif line.startswith("calls="):
            # The next line is what the called function took.
            is_call = True
        elif line[:1] in "0123456789+-*" and line and current:
            if not is_call:
                result[current] += int(line.split()[1])
            is_call = False
    return result


# --- The command

def rounded(value):
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [rounded(each) for each in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


MEASURES = {
    "cost": lambda scene, short: cost(scene, 5000 if short else 20000, 1 if short else 5),
    "first": lambda scene, short: first_command(scene, 3 if short else 7),
    "flatness": lambda scene, short: flatness(scene, 20000 if short else 200000, 5 if short else 10),
    "instructions": lambda scene, short: instructions(scene, 200, 700 if short else 2200),
    "stages": lambda scene, short: stages(scene, 200, 700 if short else 2200),
    "unlimited": lambda scene, short: paced(scene, 1000, 5 if short else 20, ["limits: none"]),
    "owner's limit": lambda scene, short: paced(scene, 1000, 5 if short else 20, [
        "limits: {partnerCenter: {requests: 2000, per: 1s}}"]),
    "permits": lambda scene, short: paced(scene, 1000, 5 if short else 20, [
        "ordering: none", "limits: {partnerCenter: {requests: 2000, per: 1s}}"]),
    "scrapes": lambda scene, short: scraped(scene, 500, 5 if short else 20),
    "lone commands": lambda scene, short: paced(scene, 25, 20 if short else 120, ["ordering: none"], delay=0.05, poisson=True),
    "lone commands of the floor": lambda scene, short: paced(
        scene, 25, 20 if short else 120, ["limits: none"], delay=0.05, poisson=True, start=scene.floor),
    "one application": lambda scene, short: paced(scene, 2000, 5 if short else 20, ["limits: none"]),
    "200 applications": lambda scene, short: paced(scene, 2000, 5 if short else 20, ["limits: none"], applications=200),
}


# What does not depend on how busy the machine is, and what it may be at most.
BOUNDS = {
    "instructions": ("ratio", 2.1),
}


def lines(value, prefix=""):
    """A result as a table: one line a figure."""
    for key, each in value.items():
        if isinstance(each, dict):
            yield from lines(each, f"{prefix}{key} ")
        else:
            yield f"{prefix}{key}", " ".join(map(str, each)) if isinstance(each, list) else str(each)


def main():
    if sys.argv[1:2] == ["--publish"]:
        return publish_paced(*json.loads(sys.argv[2]))
    parser = argparse.ArgumentParser(prog="run", description=__doc__.splitlines()[0])
    parser.add_argument("--binaries", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--programs", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--short", action="store_true", help="seconds instead of minutes")
    parser.add_argument("--json", type=Path, help="write all figures there")
    parser.add_argument("--list", action="store_true", help="name the measures")
    parser.add_argument("measures", nargs="*", metavar="MEASURE", help="default: all")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(MEASURES))
        return 0
    unknown = set(arguments.measures) - set(MEASURES)
    if unknown:
        parser.error(f"unknown measure: {', '.join(sorted(unknown))}; one of: {', '.join(MEASURES)}")
    results, code = {}, 0
    with contextlib.ExitStack() as stack:
        scene = Scene(stack, arguments.binaries, arguments.programs)
        for name in arguments.measures or MEASURES:
            results[name] = rounded(MEASURES[name](scene, arguments.short))
            print(f"{name}:", flush=True)
            for figure, value in lines(results[name]):
                print(f"  {figure:30} {value}", flush=True)
            figure, bound = BOUNDS.get(name, (None, None))
            if figure and results[name][figure] > bound:
                print(f"{name}: {figure} {results[name][figure]} exceeds {bound}", file=sys.stderr)
                code = 1
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
