import { Rig, quiescent } from './rig';
import { pause } from './root';
async function main() {
  const rig = await Rig.start({ rate: Number(process.argv[2] ?? 100), seed: 1, keep: true, say: (l) => console.error(new Date().toISOString(), l) });
  try {
    for (let i = 0; i < 6; i++) {
      await pause(5000);
      const st = await rig.store.rows<any>('select shard, seq, published_seq from shards order by 1');
      console.error(JSON.stringify(st), rig.load.accepted.size, rig.auditor.events.size);
    }
    rig.load.hold();
    await rig.load.idle(60000);
    console.error('quiescent', await quiescent(rig, 90000));
    console.error(await rig.store.rows('select type, count(*) from log group by 1 order by 2 desc'));
  } finally { await rig.stop(); }
}
main().catch((e) => { console.error(e); process.exit(1); });
