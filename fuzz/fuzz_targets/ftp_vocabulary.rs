//! FTP commands, replies and addresses: what is read is written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    ftp_proto::fuzz::command(data);
    ftp_proto::fuzz::reply(data);
    ftp_proto::fuzz::address(data);
});
