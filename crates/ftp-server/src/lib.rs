//! An asynchronous FTP server over ftp-proto: handlers, hooks and a listener.
