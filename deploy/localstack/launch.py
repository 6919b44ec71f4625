"""Starts LocalStack in this process, on the loopback interface only.

GATEWAY_LISTEN names an address, but LocalStack 4.14 builds its server endpoint without an interface, which means
all of them. So the interface is put in here, before LocalStack starts.

It ends with the process that started it, however that one ends, so that no server is left behind.
"""

import functools
import os
import signal
import threading
import time

from localstack.runtime.main import main
from twisted.internet import endpoints


def end_with_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGKILL)


threading.Thread(target=end_with_parent, args=(os.getppid(),), daemon=True).start()
endpoints.TCP4ServerEndpoint = functools.partial(endpoints.TCP4ServerEndpoint, interface="127.0.0.1")
main()
