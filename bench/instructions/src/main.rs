//! What `cargo xtask callgrind` counts instructions of: one subject, named by the argument, so many times.
//!
//! Everything runs on one thread, VPP's part included, so that a run counts what the run before counted.

mod transaction;

use std::hint::black_box;

use anyhow::{Context as _, Result, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use vpp_26_06::interface::{SwInterfaceDetails, SwInterfaceDetailsView, SwInterfaceSetFlags};
use vpp_26_06::memclnt::ControlPing;
use vpp_conn::Connection;
use vpp_wire::{Message as _, View as _, Wire as _};

/// How often each is done: so often that what comes once does not count.
const TIMES: usize = 2_000;

fn main() -> Result<()> {
    match std::env::args().nth(1).as_deref() {
        Some("encode") => encode(),
        Some("decode") => decode(false),
        Some("view") => decode(true),
        Some("call") => connected(1),
        Some("pipeline") => connected(256),
        Some("transaction") => {
            let (runtime, engine) = transaction::engine()?;
            measured(|| transaction::commit(&runtime, &engine, TIMES))
        }
        other => bail!("no subject {other:?}: encode, decode, view, call, pipeline or transaction"),
    }
}

fn encode() -> Result<()> {
    let request = SwInterfaceSetFlags { sw_if_index: 7, ..SwInterfaceSetFlags::default() };
    let mut place = [0; 64];
    let place = place.get_mut(..request.encoded_len()).context("it is longer")?;
    measured(|| {
        for _ in 0..TIMES {
            black_box(&request).encode_payload(black_box(&mut *place))?;
        }
        Ok(())
    })
}

fn decode(in_place: bool) -> Result<()> {
    let details = SwInterfaceDetails {
        sw_if_index: 7,
        interface_name: "GigabitEthernet0/8/0".to_owned(),
        ..SwInterfaceDetails::default()
    };
    let mut bytes = vec![0; details.encoded_len()];
    details.encode_payload(&mut bytes)?;
    measured(|| {
        for _ in 0..TIMES {
            if in_place {
                let view = SwInterfaceDetailsView::parse(black_box(&bytes))?;
                black_box(view.sw_if_index());
            } else {
                black_box(SwInterfaceDetails::from_payload(black_box(&bytes))?);
            }
        }
        Ok(())
    })
}

/// Pings over a socket: one after another, or so many under way.
fn connected(depth: usize) -> Result<()> {
    let folder = std::env::temp_dir().join(format!("vppkit-instructions-{}", std::process::id()));
    std::fs::create_dir(&folder)?;
    let socket = folder.join("api.sock");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let vpp = runtime.block_on(async {
        let listener = UnixListener::bind(&socket)?;
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await?;
            answer(stream).await
        });
        Ok::<_, anyhow::Error>(Connection::connect(&socket).await?)
    });
    std::fs::remove_dir_all(&folder)?;
    let vpp = vpp?;
    measured(|| {
        runtime.block_on(async {
            if depth == 1 {
                for _ in 0..TIMES {
                    vpp.call(&ControlPing).await?;
                }
            } else {
                let mut pipeline = vpp.pipeline(std::iter::repeat_n(ControlPing, TIMES)).window(depth);
                while let Some((_, reply)) = pipeline.next().await {
                    reply?;
                }
            }
            Ok(())
        })
    })
}

/// As much of VPP as pings need.
async fn answer(mut stream: UnixStream) -> Result<()> {
    const TABLE: [(u16, &str); 2] = [(30, "control_ping_51077d14"), (31, "control_ping_reply_f6b0b8ca")];
    let mut create = [0; 86];
    stream.read_exact(&mut create).await?;
    let mut reply = vec![0, 16, 0, 0, 0, 0];
    reply.extend_from_slice(&create[18..22]);
    reply.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 1, 0, 2]);
    for (id, name) in TABLE {
        reply.extend_from_slice(&id.to_be_bytes());
        reply.extend_from_slice(name.as_bytes());
        reply.resize(reply.len() + 64 - name.len(), 0);
    }
    let mut header = [0; 16];
    header[8..12].copy_from_slice(&u32::try_from(reply.len())?.to_be_bytes());
    stream.write_all(&[&header[..], &reply].concat()).await?;
    let (mut input, mut output) = (vec![0; 26 * 1024], Vec::new());
    let mut len = 0;
    loop {
        len += stream.read(&mut input[len..]).await?;
        output.clear();
        let whole = len - len % 26;
        for ping in input[..whole].chunks_exact(26) {
            ensure!(ping[17] == 30, "not a ping");
            let mut pong = [0; 34];
            pong[11] = 18;
            pong[17] = 31;
            pong[18..22].copy_from_slice(&ping[22..26]);
            output.extend_from_slice(&pong);
        }
        input.copy_within(whole..len, 0);
        len -= whole;
        stream.write_all(&output).await?;
    }
}

/// Instructions are counted in here only: callgrind knows it by its name.
#[inline(never)]
fn measured(work: impl FnOnce() -> Result<()>) -> Result<()> {
    work()
}
