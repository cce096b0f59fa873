// A short message centre on the npm package "smpp": node smsc.js PORT FOLDER
// What lies in FOLDER/mo.json is delivered until the other side says that it is kept; what happens is in FOLDER/smsc.jsonl.
const fs = require("fs"), smpp = require("smpp");
const [port, folder] = [Number(process.argv[2]), process.argv[3]];
const log = (entry) => fs.appendFileSync(`${folder}/smsc.jsonl`, JSON.stringify(entry) + "\n");
let numbers = 0, waiting = [], session = null;

const give = () => {
  const file = `${folder}/mo.json`;
  if (fs.existsSync(file)) { waiting.push(...JSON.parse(fs.readFileSync(file))); fs.unlinkSync(file); }
  if (!session || !waiting.length) return;
  const here = session, pdu = waiting.shift();
  let answered = false;
  const again = () => { if (!answered) { answered = true; waiting.push(pdu); log({ again: pdu.source_addr }); } };
  here.once("close", again);
  const { hex, ...fields } = pdu;
  const message = hex ? Buffer.from(hex, "hex") : pdu.short_message;
  here.deliver_sm({ ...fields, short_message: message }, (response) => {
    if (answered) return;
    if (response.command_status) return again();
    answered = true; log({ kept: pdu.source_addr });
  });
};

const receipt = (here, pdu, id) => here.deliver_sm({
  esm_class: 4, source_addr: pdu.destination_addr, destination_addr: pdu.source_addr, receipted_message_id: id,
  message_state: 2,
  short_message: `id:${id} sub:001 dlvrd:001 submit date:2603101930 done date:2603101930 stat:DELIVRD err:000 text:`,
});

smpp.createServer({}, (here) => {
  here.on("error", (error) => log({ error: String(error) }));
  here.on("close", () => { if (session === here) session = null; });
  for (const kind of ["bind_transceiver", "bind_receiver", "bind_transmitter"]) here.on(kind, (pdu) => {
    if (pdu.password !== "secret") { here.send(pdu.response({ command_status: smpp.ESME_RINVPASWD })); return; }
    log({ bind: kind }); here.send(pdu.response({ system_id: "SMSC" }));
    if (kind !== "bind_transmitter") session = here;
  });
  here.on("unbind", (pdu) => { here.send(pdu.response()); here.close(); });
  here.on("enquire_link", (pdu) => here.send(pdu.response()));
  here.on("submit_sm", (pdu) => {
    if (pdu.destination_addr.endsWith("99") && Math.random() < 0.5) {
      log({ throttled: pdu.destination_addr });
      here.send(pdu.response({ command_status: smpp.ESME_RTHROTTLED })); return;
    }
    const id = String(++numbers).padStart(10, "0");
    log({ submit: pdu.destination_addr, text: pdu.short_message.message, udh: pdu.short_message.udh || null });
    here.send(pdu.response({ message_id: id }));
    if (pdu.registered_delivery & 1) setTimeout(() => receipt(here, pdu, id), 100);
  });
}).listen(port, "127.0.0.1");
setInterval(give, 5);
