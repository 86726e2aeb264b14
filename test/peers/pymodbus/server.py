"""A slave made with pymodbus: unit 17, and in each register its own address. Usage: server.py PORT

Its framer, decoder and data store on a plain file: its own serial server wants one package more.
"""

import os
import sys
import tty

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.factory import ServerDecoder
from pymodbus.pdu import ModbusExceptions
from pymodbus.exceptions import NoSuchSlaveException
from pymodbus.transaction import ModbusRtuFramer

registers = ModbusSequentialDataBlock(0, list(range(256)))
bits = ModbusSequentialDataBlock(0, [i % 3 == 0 for i in range(64)])
slave = ModbusSlaveContext(di=bits, co=bits, hr=registers, ir=registers, zero_mode=True)
units = ModbusServerContext(slaves={17: slave}, single=False)
framer = ModbusRtuFramer(ServerDecoder(), client=None)
line = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
tty.setraw(line)


def answer(request):
    try:
        response = request.execute(units[request.unit_id])
    except NoSuchSlaveException:
        return
    except Exception:
        response = request.doException(ModbusExceptions.SlaveFailure)
    response.transaction_id = request.transaction_id
    response.unit_id = request.unit_id
    os.write(line, framer.buildPacket(response))


print("ready", flush=True)
while True:
    try:
        chunk = os.read(line, 256)
    except OSError:
        break
    if not chunk:
        break
    framer.processIncomingPacket(chunk, answer, unit=units.slaves(), single=False)
