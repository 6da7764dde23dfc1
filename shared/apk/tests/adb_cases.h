#pragma once

/* The parts of apk-cases that are about v3: arguments behind the word, exit status.
 *
 * adb DUMPDIR FILE...	each file reads as DUMPDIR/NAME.txt says
 * adb-dump FILE...	prints
 * adb-verify TABLE	lines of file, keys, exit status, words; files and NAME.rsa.pub beside it
 *
 * In a table `none` is no key and `any` asks for none; with `any` a file of bad/ may be refused
 * although the table lets it pass, since damage can be noticed that others do not look for. */
int adb_cases(int argc, char **argv);
int adb_cases_dump(int argc, char **argv);
int adb_cases_verify(int argc, char **argv);
