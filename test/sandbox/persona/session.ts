/** The sessions of an inquiry: from which device and network a person came. */
import { Random } from "../random.ts";
import { course, personOf, time } from "./course.ts";
import { personaId } from "./id.ts";
import { traits } from "./inquiry.ts";
import { one, type Wire } from "./wire.ts";
import type { World } from "./world.ts";

const AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";

export function makeSession(world: World, index: number, at: number): Wire | undefined {
  const { status, created } = course(world, index);
  if (status === "created" || at >= traits(world, index).sessions) return undefined;
  const gone = world.childrenRedacted(index) !== undefined;
  const place = new Random(world.seed, 260, index, at);
  const known = <T>(value: T) => (gone ? null : value);
  return {
    type: "inquiry-session",
    id: personaId(world.seed, "iqse", index, at),
    attributes: {
      status: "expired",
      "created-at": time(created + at * 5_000),
      "started-at": time(created + at * 5_000 + 1_000),
      "expired-at": time(created + 86_400_000),
      "ip-address": known(personOf(world, index).ip),
      "user-agent": known(AGENT),
      "os-name": "Linux",
      "os-full-version": null,
      "device-type": "desktop",
      "device-name": null,
      "browser-name": "Firefox",
      "browser-full-version": "128.0",
      "mobile-sdk-name": null,
      "mobile-sdk-full-version": null,
      "device-handoff-method": null,
      "is-proxy": false,
      "is-tor": false,
      "is-datacenter": false,
      "is-vpn": place.chance(10),
      "threat-level": "low",
      "country-code": known(personOf(world, index).state.code),
      "country-name": known(personOf(world, index).state.name),
      "region-code": null,
      "region-name": null,
      latitude: known(place.integer(-8900, 8900) / 100),
      longitude: known(place.integer(-17900, 17900) / 100),
    },
    relationships: {
      inquiry: one("inquiry", personaId(world.seed, "inq", index)),
      device: one("device", personaId(world.seed, "dev", index, at)),
      network: { data: null },
    },
  };
}

export function makeDevice(world: World, index: number, at: number): Wire | undefined {
  if (!makeSession(world, index, at)) return undefined;
  const fingerprint = new Random(world.seed, 261, index, at).string("0123456789abcdef", 32);
  return {
    type: "device",
    id: personaId(world.seed, "dev", index, at),
    attributes: { "device-vendor-id": null, "device-fingerprint": fingerprint, "browser-fingerprint": null },
  };
}
