/* The configuration that the file sink takes, as JSON Schema. */
#pragma once

#define FILE_SINK_SCHEMA                                                                           \
    "{"                                                                                            \
    "\"$schema\": \"https://json-schema.org/draft/2020-12/schema\","                               \
    "\"type\": \"object\", \"required\": [\"path\"], \"additionalProperties\": false,"             \
    "\"properties\": {"                                                                            \
    "\"path\": {\"type\": \"string\", \"minLength\": 1,"                                           \
    " \"description\": \"The file; its folder must exist\"},"                                      \
    "\"format\": {\"enum\": [\"payload\", \"event\"], \"default\": \"payload\","                   \
    " \"description\": \"What a line is: the payload alone, or an object with id, created_at, "    \
    "key,"                                                                                         \
    " payload and metadata\"},"                                                                    \
    "\"fsync\": {\"enum\": [\"batch\", \"never\"], \"default\": \"batch\","                        \
    " \"description\": \"batch: an event counts as delivered once it is on the disk\"},"           \
    "\"rotate\": {\"enum\": [\"never\", \"hourly\", \"daily\"], \"default\": \"never\","           \
    " \"description\": \"Begin a new file with the hour or the day, UTC\"},"                       \
    "\"rotate_bytes\": {\"type\": \"integer\", \"minimum\": 0, \"default\": 0,"                    \
    " \"description\": \"Begin a new file before the batch that would make this one larger; 0:"    \
    " never\"},"                                                                                   \
    "\"keep\": {\"type\": \"integer\", \"minimum\": 0, \"maximum\": 1000000, \"default\": 0,"      \
    " \"description\": \"How many rotated files stay, the newest; 0: all\"},"                      \
    "\"permissions\": {\"type\": \"string\", \"pattern\": \"^0[0-7]{3}$\", \"default\": \"0640\"," \
    " \"description\": \"Of a file that is made, less the daemon's umask\"}"                       \
    "}}"
