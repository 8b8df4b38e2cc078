/*
 * deploy/k8s without a cluster: every object against the schema of its kind, and
 * the whole against the catalogue of settings and the arrows of the architecture.
 */

import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { parse, parseAllDocuments } from "yaml";
import { ROOT } from "../lib/daemon.js";

const K8S = join(ROOT, "deploy/k8s");
const NOT_OBJECTS = "kustomization.yaml";
const DAEMONS = ["gateway", "chat", "ai", "store"];
const MAY_ASK = { gateway: ["chat", "store", "ai"], chat: ["store"], ai: ["chat"], store: [] };

const files = readdirSync(K8S, { recursive: true }).filter((file) => file.endsWith(".yaml"));
const read = (file) => readFileSync(join(K8S, file), "utf8");
const objects = files.filter((file) => !file.endsWith(NOT_OBJECTS))
	.flatMap((file) => parseAllDocuments(read(file), { merge: true }).map((doc) => ({ file, ...doc.toJS() })));
const one = (kind, name) => objects.find((object) => object.kind === kind && object.metadata.name === name);
const containerOf = (name) => one("Deployment", `alp-${name}`).spec.template.spec.containers[0];

const settings = new Set([...readFileSync(join(ROOT, "services/common/settings.def"), "utf8")
	.matchAll(/SETTING\(\w+,\s*\w+,\s*"(\w+)"/g)].map(([, name]) => name));

for (const { file, ...object } of objects)
	test(`${file}: ${object.kind} ${object.metadata.name} fits the schema of its kind`, async () => {
		const { [object.kind]: Model } = await import(`kubernetes-models/${object.apiVersion}`);

		new Model(object).validate();
	});

test("a field that the schema does not know is refused", async () => {
	const { Deployment } = await import("kubernetes-models/apps/v1");

	assert.throws(() => new Deployment({ metadata: { name: "x" }, spec: { replica: 1 } }).validate());
});

test("every kustomization lists files that exist, and every file is listed", () => {
	const listed = new Set();

	for (const file of files.filter((name) => name.endsWith(NOT_OBJECTS))) {
		for (const resource of parse(read(file)).resources) {
			const path = join(dirname(file), resource);

			assert.ok(existsSync(join(K8S, path)), path);
			listed.add(path);
		}
	}
	for (const file of files.filter((name) => !name.endsWith(NOT_OBJECTS)))
		assert.ok(listed.has(file), `${file} is in no kustomization`);
});

test("a daemon is given names of the catalogue only, and its secrets from the secret", () => {
	const shared = Object.keys(one("ConfigMap", "alp-settings").data);

	for (const name of DAEMONS)
		for (const variable of [...shared, ...containerOf(name).env.map((entry) => entry.name)])
			assert.ok(settings.has(variable), `${name}: ${variable}`);
	for (const name of DAEMONS)
		for (const entry of containerOf(name).env.filter(({ value }) => value === undefined))
			assert.equal(entry.valueFrom.secretKeyRef.name, "alp-secrets");
});

test("every daemon is probed at its health port, contained, and bounded", () => {
	for (const name of DAEMONS) {
		const container = containerOf(name);

		assert.equal(container.startupProbe.httpGet.path, "/startupz");
		assert.equal(container.readinessProbe.httpGet.path, "/readyz");
		assert.equal(container.livenessProbe.httpGet.path, "/livez");
		assert.equal(container.securityContext.readOnlyRootFilesystem, true);
		assert.deepEqual(container.securityContext.capabilities.drop, ["ALL"]);
		assert.ok(container.resources.limits.memory);
	}
});

test("the network lets through the architecture's arrows and no other", () => {
	const asked = (name) => one("NetworkPolicy", `alp-${name}`).spec.egress.flatMap(({ to = [] }) => to)
		.map(({ podSelector }) => podSelector.matchLabels.app.slice("alp-".length));
	const askers = (name) => one("NetworkPolicy", `alp-${name}`).spec.ingress.flatMap(({ from = [] }) => from)
		.flatMap(({ podSelector }) => podSelector ? [podSelector.matchLabels.app.slice("alp-".length)] : []);

	for (const name of DAEMONS) {
		assert.deepEqual(new Set(asked(name)), new Set(MAY_ASK[name]), `${name} asks`);
		assert.deepEqual(new Set(askers(name)), new Set(DAEMONS.filter((other) => MAY_ASK[other].includes(name))), `${name} is asked`);
	}
	assert.deepEqual(one("NetworkPolicy", "alp-nothing-else").spec.policyTypes, ["Ingress", "Egress"]);
	assert.equal(one("NetworkPolicy", "alp-nothing-else").spec.egress, undefined);
});
