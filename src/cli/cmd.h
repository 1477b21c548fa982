#pragma once

#include "cli/command.h"

/* The rows of the command table, each defined in its own file. */
extern const struct command cmd_alerts;
extern const struct command cmd_api;
extern const struct command cmd_attach;
extern const struct command cmd_break;
extern const struct command cmd_buffer;
extern const struct command cmd_capture;
extern const struct command cmd_check;
extern const struct command cmd_clients;
extern const struct command cmd_clone;
extern const struct command cmd_cloud_init;
extern const struct command cmd_completion;
extern const struct command cmd_console;
extern const struct command cmd_disk;
extern const struct command cmd_down;
extern const struct command cmd_events;
extern const struct command cmd_export;
extern const struct command cmd_export_command;
extern const struct command cmd_fit;
extern const struct command cmd_forward;
extern const struct command cmd_grep;
extern const struct command cmd_help;
extern const struct command cmd_import;
extern const struct command cmd_ip;
extern const struct command cmd_kill;
extern const struct command cmd_kill_server;
extern const struct command cmd_link;
extern const struct command cmd_logs;
extern const struct command cmd_ls;
extern const struct command cmd_network;
extern const struct command cmd_paste;
extern const struct command cmd_pause;
extern const struct command cmd_press;
extern const struct command cmd_proxy;
extern const struct command cmd_qmp;
extern const struct command cmd_reset;
extern const struct command cmd_restart;
extern const struct command cmd_resume;
extern const struct command cmd_rm;
extern const struct command cmd_run;
extern const struct command cmd_send;
extern const struct command cmd_server;
extern const struct command cmd_shutdown;
extern const struct command cmd_ssh;
extern const struct command cmd_start;
extern const struct command cmd_sysrq;
extern const struct command cmd_timeline;
extern const struct command cmd_up;
extern const struct command cmd_version;
extern const struct command cmd_wait;
