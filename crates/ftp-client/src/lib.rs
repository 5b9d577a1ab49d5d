//! An asynchronous FTP client over a Dial, and BusyBox-compatible ftpget.
