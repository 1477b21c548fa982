#pragma once

struct deck;

/* Pulls the cable of the network card of the guest that is meant, or puts it in
 * again; of several cards one is asked for. */
void cable_open(struct deck *deck);
