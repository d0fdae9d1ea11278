"""A broker between the worker and the real one that breaks AMQP 0-9-1 on purpose.

Usage: hostile_broker.py --list
       hostile_broker.py PORT-FILE REAL-PORT SCENARIO-FILE PASSWORD SEED

It listens on a free port, which it writes into PORT-FILE, and does to every connection what SCENARIO-FILE names at
that moment; a change of the file ends all connections. `honest` passes everything on. The scenarios of HANDSHAKE take
the real broker's place; those of SESSION pass on until the first consumer or the first confirm.select of a connection
has its answer, and then put frames of their own between the real ones. A client that logs in as guest with PASSWORD is
let in. Each connection that a scenario was played on makes a line on standard output:

    SCENARIO (worker|timeout|us) SECONDS       who ended it, after how long
"""
import os
import random
import socket
import struct
import sys
import threading
import time

METHOD, HEADER, BODY, HEARTBEAT = 1, 2, 3, 8
PATIENCE = 25  # seconds for the worker to end a connection that it should end


# Frames

def frame(kind, channel, payload, size=None, end=0xCE):
    return struct.pack(">BHI", kind, channel, len(payload) if size is None else size) + payload + bytes([end])


def method(channel, class_id, method_id, arguments=b""):
    return frame(METHOD, channel, struct.pack(">HH", class_id, method_id) + arguments)


def short(text):
    return bytes([len(text)]) + text


def long(data):
    return struct.pack(">I", len(data)) + data


def deliver(channel, tag, number=1):
    return method(channel, 60, 60, short(tag) + struct.pack(">QB", number, 0) + short(b"") + short(b"key"))


def header(channel, size, flags=0, properties=b""):
    return frame(HEADER, channel, struct.pack(">HHQH", 60, 0, size, flags) + properties)


def body(channel, data):
    return frame(BODY, channel, data)


def message(connection, size, flags=0, properties=b""):
    """How a delivery begins: its method and its header."""
    channel = connection.channel
    return deliver(channel, connection.tag) + header(channel, size, flags, properties)


def nested(levels, arrays):
    """A table of tables of tables, or of arrays of arrays."""
    if arrays:
        inner = b"".join(b"A" + struct.pack(">I", 5 * (levels - level - 1)) for level in range(levels))
        return long(b"\0" + inner)
    return b"".join(struct.pack(">I", 6 * (levels - level)) + b"\0F" for level in range(levels)) + struct.pack(">I", 0)


def start(properties=long(b""), mechanisms=b"PLAIN EXTERNAL"):
    return method(0, 10, 10, b"\0\x09" + properties + long(mechanisms) + long(b"en_US"))


def close(text, code=320):
    return method(0, 10, 50, struct.pack(">H", code) + short(text) + struct.pack(">HH", 0, 0))


def hostile_text(password):
    return b"\x1b[2J\r\n{\"level\":\"info\"} \xc2\x9b31m \xe2\x80\xae guest has the password " + password


HEARTBEATS = frame(HEARTBEAT, 0, b"") * 8192


# Scenarios: what is sent, in parts. None hangs up, a number waits that many seconds.

def tune(channels, frame_max, heartbeat):
    limits = struct.pack(">HIH", channels, frame_max, heartbeat)
    return lambda _: [start(), method(0, 10, 30, limits), method(0, 10, 41, short(b"")), 1, None]


HANDSHAKE = {
    "silence": lambda c: [],
    "web-server": lambda c: [b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n<html>no</html>", None],
    "other-version": lambda c: [b"AMQP\x00\x01\x00\x00", None],
    "random-bytes": lambda c: [c.random.randbytes(4096), None],
    "start-without-method": lambda c: [frame(METHOD, 0, b"\0\x0a")],
    "start-empty": lambda c: [frame(METHOD, 0, b"")],
    "start-cut": lambda c: [start()[:17], None],
    "start-oversized": lambda c: [frame(METHOD, 0, b"\0\x0a\0\x0a", size=0x7FFFFFFF)],
    "start-of-4-gib": lambda c: [frame(METHOD, 0, b"\0\x0a\0\x0a", size=0xFFFFFFFF)],
    "start-longer-than-frame": lambda c: [method(0, 10, 10, b"\0\x09" + struct.pack(">I", 0xFFFFFFF0))],
    "start-nested": lambda c: [start(nested(9_000, arrays=False)), 1, None],
    "start-nested-arrays": lambda c: [start(nested(11_000, arrays=True)), 1, None],
    "start-without-mechanism": lambda c: [start(mechanisms=b"")],
    "start-is-deliver": lambda c: [deliver(1, b"t")],
    "start-is-content": lambda c: [header(1, 1 << 40), body(1, b"x" * 1000)],
    "start-is-heartbeats": lambda c: [HEARTBEATS] * 64 + [1, None],
    "start-of-unknown-type": lambda c: [frame(99, 0, b"x" * 4000) * 16] * 64 + [1, None],
    "drip": lambda c: [
        part for byte in start(long(short(b"k") + b"S" + long(b"v" * 400))) for part in (bytes([byte]), 0.2)
    ],
    "secure": lambda c: [start(), method(0, 10, 20, long(b"challenge" * 1000))],
    "login-refused": lambda c: [start(), close(hostile_text(c.password), 403), 1, None],
    "tune-nothing": tune(0, 0, 0),
    "tune-tiny-frames": tune(1, 1, 1),
    "tune-frames-of-16": tune(1, 16, 1),
    "tune-huge": tune(65535, 0xFFFFFFFF, 65535),
}

SESSION = {
    "cut-inside-frame": lambda c: [deliver(c.channel, c.tag)[:9], None],
    "stalled-inside-frame": lambda c: [deliver(c.channel, c.tag)[:9]],
    "oversized-frame": lambda c: [frame(BODY, c.channel, b"x" * 200_000)],
    "frame-of-4-gib": lambda c: [frame(BODY, c.channel, b"x", size=0xFFFFFFF7)],
    "wrong-frame-end": lambda c: [frame(METHOD, c.channel, b"\0\x3c\0\x15" + short(c.tag), end=0)],
    "unknown-frame-type": lambda c: [frame(99, c.channel, b"x" * 4000) * 16] * 64 + [0.5, None],
    "unknown-class": lambda c: [method(c.channel, 9999, 1)],
    "unknown-method": lambda c: [method(c.channel, 60, 9999)],
    "method-without-arguments": lambda c: [method(c.channel, 60, 60)],
    "unopened-channel": lambda c: [deliver(1999, b"t"), header(1999, 1), body(1999, b"x")],
    "many-channels": lambda c: [b"".join(body(n, b"x" * 100) for n in range(2, 65_535))],
    "method-inside-content": lambda c: [message(c, 10), deliver(c.channel, c.tag, 2)],
    "content-without-method": lambda c: [header(c.channel, 1), body(c.channel, b"x")],
    "body-without-header": lambda c: [body(c.channel, b"x")],
    "body-too-long": lambda c: [message(c, 3), body(c.channel, b"0123456789")],
    "header-cut": lambda c: [deliver(c.channel, c.tag), frame(HEADER, c.channel, b"\0\x3c\0\0\0\0")],
    "content-of-another-class": lambda c: [
        deliver(c.channel, c.tag), frame(HEADER, c.channel, struct.pack(">HHQH", 20, 0, 1, 0xFFFE) + b"x" * 100),
    ],
    "endless-flags": lambda c: [message(c, 1, 0xFFFF, b"\xff" * 100_000)],
    "text-longer-than-frame": lambda c: [message(c, 1, 1 << 15, b"\xffxx")],
    # Not wrong by itself: what follows are bodies of messages that the real broker knows nothing of.
    "nested-headers": lambda c: [message(c, 1, 1 << 13, nested(20_000, arrays=False)), body(c.channel, b"x"), 1, None],
    "nested-arrays": lambda c: [message(c, 1, 1 << 13, nested(20_000, arrays=True)), body(c.channel, b"x"), 1, None],
    "64-mib-body": lambda c: [message(c, 64 << 20)] + [body(c.channel, b"x" * 131_000)] * 512 + [1, None],
    "announced-body": lambda c: [message(c, 1 << 62), body(c.channel, b"x" * 1000), 1, None],
    "empty-bodies": lambda c: [message(c, 1)] + [body(c.channel, b"") * 8192] * 32 + [None],
    "unknown-consumer": lambda c: [
        (deliver(c.channel, b"nobody") + header(c.channel, 1) + body(c.channel, b"x")) * 1000, 1, None,
    ],
    "more-than-prefetch": lambda c: [(message(c, 1) + body(c.channel, b"x")) * 1000] * 100,
    "confirm-of-nothing": lambda c: [method(c.channel, 60, 80, struct.pack(">QB", 1 << 60, 1))],
    "answer-to-nothing": lambda c: [method(c.channel, 50, 11, short(b"q") + struct.pack(">II", 1, 1)) * 50],
    "close-with-hostile-text": lambda c: [close(hostile_text(c.password)), 1, None],
    "channel-close-with-hostile-text": lambda c: [
        method(c.channel, 20, 40, b"\1\x96" + short(hostile_text(c.password)) + b"\0" * 4), 1, None,
    ],
    "blocked-without-end": lambda c: [method(0, 10, 60, short(hostile_text(c.password))) * 1000] * 20 + [0.5, None],
    "heartbeats-without-end": lambda c: [HEARTBEATS] * 512 + [None],
    "random-frames": lambda c: [
        frame(c.random.choice([1, 2, 3, 8]), c.random.choice([0, 1, 2]), c.random.randbytes(c.random.randrange(60)))
        for _ in range(200)
    ] + [1, None],
}


class Connection:
    def __init__(self, client, scenario, password, seed):
        self.client, self.scenario, self.password = client, scenario, password
        self.random = random.Random(f"{scenario} {seed}")
        self.channel, self.tag = 1, b"consumer-1"
        self.gone, self.playing = threading.Event(), False
        self.limited = set()  # channels with a prefetch

    def run(self, real_port):
        if self.scenario in HANDSHAKE:
            self.play(HANDSHAKE[self.scenario](self))
            return
        with socket.create_connection(("127.0.0.1", real_port)) as real:
            self.real = real
            threading.Thread(target=self.pass_requests, daemon=True).start()
            try:
                if self.pass_answers():
                    self.play(SESSION[self.scenario](self))
            finally:
                hang_up(real)

    def play(self, parts):
        began, ended = time.monotonic(), "timeout"
        # What the worker sends meanwhile is not answered; it only must not fill its socket.
        threading.Thread(target=self.discard, daemon=True).start()
        try:
            for part in parts:
                if part is None:
                    ended = "us"
                    break
                if isinstance(part, (int, float)):
                    time.sleep(part)
                else:
                    self.client.sendall(part)
            else:
                if self.gone.wait(PATIENCE):
                    ended = "worker"
        except OSError:
            ended = "worker"
        print(self.scenario, ended, f"{time.monotonic() - began:.1f}", flush=True)

    def discard(self):
        if self.scenario in SESSION:
            self.playing = True  # the thread that passes requests goes on reading
            return
        try:
            while self.client.recv(1 << 16):
                pass
        except OSError:
            pass
        self.gone.set()

    def pass_requests(self):
        """From the worker to the real broker, with the password that it knows."""
        old, new = (long(b"\0guest\0" + password) for password in (self.password, b"guest"))
        try:
            # The header is no frame; the login comes in the first one.
            self.real.sendall(receive(self.client, 8))
            kind_and_channel, payload = read_frame(self.client)
            login = payload.replace(old, new)
            self.real.sendall(kind_and_channel + struct.pack(">I", len(login)) + login + b"\xce")
            while data := self.client.recv(1 << 16):
                if not self.playing:
                    self.real.sendall(data)
        except OSError:
            pass
        self.gone.set()
        if not self.playing:
            hang_up(self.real)

    def pass_answers(self):
        """From the real broker to the worker; true once there is something to play with."""
        try:
            while True:
                head, payload = read_frame(self.real)
                self.client.sendall(head + struct.pack(">I", len(payload)) + payload + b"\xce")
                kind, channel = struct.unpack(">BH", head)
                if kind != METHOD or self.scenario == "honest":
                    continue
                called = struct.unpack(">HH", payload[:4])
                if called == (60, 11):
                    self.limited.add(channel)
                elif self.scenario == "more-than-prefetch" and channel not in self.limited:
                    continue
                if called in ((60, 21), (85, 11)):
                    self.channel = channel
                    if called == (60, 21):
                        self.tag = payload[5:5 + payload[4]]
                    return True
        except OSError:
            hang_up(self.client)
            return False


def receive(source, count):
    data = b""
    while len(data) < count:
        part = source.recv(count - len(data))
        if not part:
            raise OSError("ended")
        data += part
    return data


def read_frame(source):
    head = receive(source, 7)
    size = struct.unpack(">I", head[3:])[0]
    return head[:3], receive(source, size + 1)[:-1]


def hang_up(connection):
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def main():
    if sys.argv[1:] == ["--list"]:
        print("\n".join([*HANDSHAKE, *SESSION]))
        return
    port_file, real_port, scenario_file, password, seed = sys.argv[1:]
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    with open(port_file + ".new", "w", encoding="utf-8") as file:
        file.write(str(listener.getsockname()[1]))
    os.rename(port_file + ".new", port_file)
    open_connections = set()
    current = [None]

    def scenario():
        with open(scenario_file, encoding="utf-8") as file:
            return file.read().strip()

    def watch():
        while True:
            now = scenario()
            if now != current[0]:
                current[0] = now
                for connection in list(open_connections):
                    hang_up(connection)
            time.sleep(0.02)

    def serve(client):
        try:
            Connection(client, current[0], password.encode(), seed).run(int(real_port))
        except OSError:
            pass
        finally:
            open_connections.discard(client)
            hang_up(client)
            client.close()

    current[0] = scenario()
    threading.Thread(target=watch, daemon=True).start()
    while True:
        client, _ = listener.accept()
        open_connections.add(client)
        threading.Thread(target=serve, args=(client,), daemon=True).start()


if __name__ == "__main__":
    main()
