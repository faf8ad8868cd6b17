/* SPDX-License-Identifier: MIT */
#ifndef CSQLITE_OVERLAY_H
#define CSQLITE_OVERLAY_H

/* SQLite's name of the layer below it that Overlay.c is. */
#define CS_OVERLAY "overlay"

/* Takes the files of a database as they are; CS_OK, or why not. Closing it lets them go. */
int cs_take_overlay(const char *path);

#endif
