#pragma once

/* The default rules, as src/base/embed.py wrote them into the program. */
extern const char embedded_alerts[]; /* src/server/alerts-default.json */
/* … and the rules by which the stages of a boot are known. */
extern const char embedded_stages[]; /* src/server/stages-default.json */
