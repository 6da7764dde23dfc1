#pragma once

#include "melange/config/model.h"

/* Bind tables of the model, in the order users know the keys. */

extern const struct bind_schema config_schema;
/* A definition reached by `uses`: a step whose unknown keys are ignored (melange-config 4.2). */
extern const struct bind_schema definition_schema;
extern const struct bind_schema update_schema;
