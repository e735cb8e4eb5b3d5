// What a program in TypeScript does with the generated client: it is type-checked, and run against a service.
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

declare const process: { argv: string[] };
const [, , baseUrl = "", token = ""] = process.argv;
const client = createClient<paths>({ baseUrl, headers: { authorization: `Bearer ${token}` } });
const path = { account: "typescript" };

const opened = await client.POST("/v1/accounts", {
  body: { transaction_id: "018f4e6e-9d52-7a30-8f7e-0000000000a1", account: path.account, currency: "EUR" },
});
const booked: components["schemas"]["Accepted"] | undefined = opened.data;
if (booked?.balance !== "0.00") throw new Error(JSON.stringify(opened.error));

const declined = await client.POST("/v1/accounts/{account}/withdrawals", {
  params: { path },
  body: { transaction_id: "018f4e6e-9d52-7a30-8f7e-0000000000a2", amount: "40.00" },
});
const code: components["schemas"]["ProblemCode"] | undefined = declined.error?.code;
if (code !== "insufficient_funds") throw new Error(JSON.stringify(declined));

const seen = await client.GET("/v1/transactions/{id}", {
  params: { path: { id: "018f4e6e-9d52-7a30-8f7e-0000000000a1" } },
});
// Only what was booked or declined has entries: its outcome tells one form of the answer from the other.
if (seen.data === undefined || seen.data.outcome === "ruled_out") throw new Error(JSON.stringify(seen));
if (seen.data.entries.length !== 0 || seen.data.kind !== "opening") throw new Error(JSON.stringify(seen.data));

console.log("typescript: all as expected");
