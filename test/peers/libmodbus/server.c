/* A slave made with libmodbus: unit 17, and in each register its own address. Usage: server PORT */
#include <errno.h>
#include <modbus.h>
#include <stdio.h>

int main(int argc, char **argv) {
  uint8_t query[MODBUS_RTU_MAX_ADU_LENGTH];
  if (argc < 2) return 2;
  modbus_t *line = modbus_new_rtu(argv[1], 9600, 'N', 8, 1);
  modbus_mapping_t *map = modbus_mapping_new(64, 64, 256, 256);
  if (line == NULL || map == NULL) return 3;
  for (int i = 0; i < 256; i++) map->tab_registers[i] = map->tab_input_registers[i] = i;
  for (int i = 0; i < 64; i++) map->tab_bits[i] = map->tab_input_bits[i] = i % 3 == 0;
  /* 230.5 as a float. */
  map->tab_input_registers[100] = 0x4366;
  map->tab_input_registers[101] = 0x8000;
  modbus_set_slave(line, 17);
  if (modbus_connect(line) != 0) {
    fprintf(stderr, "%s: %s\n", argv[1], modbus_strerror(errno));
    return 4;
  }
  puts("ready");
  fflush(stdout);
  for (;;) {
    int size = modbus_receive(line, query);
    if (size > 0) modbus_reply(line, query, size, map);
    /* A frame of another unit is 0; bad bytes are forgotten; a line that is gone ends it. */
    else if (size < 0 && (errno == EIO || errno == EBADF || errno == ECONNRESET)) return 0;
  }
}
