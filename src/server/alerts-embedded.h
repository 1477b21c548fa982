#pragma once

/* The default rules, as src/base/embed.py wrote them into the program. */
extern const char embedded_alerts[]; /* src/server/alerts-default.json */
