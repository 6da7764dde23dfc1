#include "shared/base/ids.h"

#define FIRST_SIZE 64u

struct ids_slot {
	uint32_t key;	/* + 1; 0 = free */
	uint32_t value;
};

static struct ids_slot *slot_of(const struct ids *m, uint32_t key)
{
	uint32_t i = (uint32_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 32) & m->mask;
	while (m->slots[i].key && m->slots[i].key != key + 1)
		i = (i + 1) & m->mask;
	return &m->slots[i];
}

static void grow(struct ids *m, struct arena *a)
{
	const struct ids old = *m;
	uint32_t size = old.slots ? (old.mask + 1) * 4 : FIRST_SIZE;
	m->slots = arena_array(a, struct ids_slot, size);
	m->mask = size - 1;
	for (uint32_t i = 0; old.slots && i <= old.mask; i++)
		if (old.slots[i].key)
			*slot_of(m, old.slots[i].key - 1) = old.slots[i];
}

uint32_t *ids_at(struct ids *m, struct arena *a, uint32_t key)
{
	if (key == UINT32_MAX)
		BUG("a key that none may be");
	if (!m->slots || m->n > m->mask / 2)
		grow(m, a);
	struct ids_slot *s = slot_of(m, key);
	if (!s->key) {
		s->key = key + 1;
		m->n++;
	}
	return &s->value;
}
