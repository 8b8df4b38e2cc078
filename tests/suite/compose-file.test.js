/*
 * docker-compose.yml against the catalogue of settings: a daemon in a container
 * gets every setting that it uses, and nothing else. Needs no Docker.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { ROOT } from "../lib/daemon.js";

const DAEMONS = ["gateway", "chat", "ai", "store"];
const SETTING = /SETTING\(\w+,\s*\w+,\s*"(\w+)",\s*"[^"]*",\s*([A-Z |]+?),\s*[\w |]*,\s*"/gs;
const FROM_FILES = { gateway: ["DEMO_MODEL", "DEFAULT_OPENAI_BASE_URL"], ai: ["DEFAULT_OPENAI_BASE_URL"] };
const OF_LIBPQ = { store: ["PGPASSWORD"] };

const read = (path) => readFileSync(join(ROOT, path), "utf8");
const { services, networks } = parse(read("docker-compose.yml"), { merge: true });

/* The settings of one daemon; where the others have their health is of no use to it. */
function used(name) {
	return [...read("services/common/settings.def").matchAll(SETTING)]
		.filter(([, setting, users]) => users.split("|").some((user) => [name.toUpperCase(), "ALL"].includes(user.trim()))
			&& (!setting.endsWith("_HEALTH") || setting === `${name.toUpperCase()}_HEALTH`))
		.map(([, setting]) => setting);
}

for (const name of DAEMONS) {
	test(`${name} gets the settings that it uses, and no other`, () => {
		const given = [...Object.keys(services[name].environment), ...FROM_FILES[name] ?? []];

		assert.deepEqual(given.sort(), [...used(name), ...OF_LIBPQ[name] ?? []].sort());
	});
}

test("the two sides of the demo set the same names", () => {
	const names = (path) => [...read(path).matchAll(/^(\w+)=/gm)].map(([, name]) => name);

	assert.deepEqual(names("deploy/compose/demo.env").sort(), [...FROM_FILES.gateway].sort());
	assert.deepEqual(names("deploy/compose/demo-not.env").sort(), [...FROM_FILES.gateway].sort());
});

test("every service is contained and limited, and only gateway is published without a profile", () => {
	for (const [name, service] of Object.entries(services)) {
		assert.equal(service.read_only, true, name);
		assert.deepEqual(service.cap_drop, ["ALL"], name);
		assert.deepEqual(service.security_opt, ["no-new-privileges:true"], name);
		assert.ok(service.deploy.resources.limits.memory, name);
		assert.ok(service.image, name);
		if (!service.profiles)
			assert.equal(Boolean(service.ports), name === "gateway", name);
		for (const port of service.ports ?? [])
			assert.match(port, /127\.0\.0\.1:/, `${name} is published on this machine only`);
	}
	assert.ok(networks.bus.internal && networks.database.internal);
	assert.deepEqual(services.db.networks, ["database"]);
});
