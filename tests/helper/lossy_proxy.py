"""lossy_proxy.py PORT-FILE UPSTREAM-PORT PATTERN COUNT: a proxy that loses answers.

Forwards connections of 127.0.0.1 to another port of it. The first COUNT
requests whose first line PATTERN is found in reach the server, and are done;
their answers are lost with the connection. Its own port is written to the file.
Ends when it is killed.
"""

import re
import socket
import sys
import threading

port_file, upstream, pattern, count = sys.argv[1:]
left = int(count)
lock = threading.Lock()


def is_lost(request):
    global left
    line = request.split(b"\r\n", 1)[0]
    with lock:
        if left and re.search(pattern.encode(), line):
            left -= 1
            return True
    return False


def serve(client):
    server = socket.create_connection(("127.0.0.1", int(upstream)))
    lost = threading.Event()

    def back():
        try:
            while data := server.recv(65536):
                if lost.is_set():
                    break
                client.sendall(data)
        except OSError:
            pass
        for end in (client, server):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    threading.Thread(target=back, daemon=True).start()
    try:
        while data := client.recv(65536):
            if is_lost(data):
                lost.set()
            server.sendall(data)
    except OSError:
        pass


listener = socket.create_server(("127.0.0.1", 0))
with open(port_file, "w", encoding="ascii") as file:
    print(listener.getsockname()[1], file=file)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
