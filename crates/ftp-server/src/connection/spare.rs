//! Buffers nobody uses at the moment, lent out on each thread.
//!
//! A client says nothing for most of its time. What it would keep for its next line and our next reply
//! serves those who are speaking meanwhile, so that a silent session holds no buffer and a busy one
//! allocates none.

use std::cell::RefCell;

/// Buffers kept on each thread: one session at a time is polled there, and it uses two.
const MAX_SPARE: usize = 8;

/// Largest buffer that is kept, in bytes: what one read or a full queue of replies needs.
const MAX_SPARE_BYTES: usize = 32 * 1024;

thread_local! {
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Sees to it that a buffer that is to be written to has room.
pub(super) fn lend(buffer: &mut Vec<u8>) {
    if buffer.capacity() == 0
        && let Some(spare) = SPARE.with_borrow_mut(Vec::pop)
    {
        *buffer = spare;
    }
}

/// Takes back the room of a buffer that is not needed any more, and empties it.
pub(super) fn take_back(buffer: &mut Vec<u8>) {
    let mut buffer = std::mem::take(buffer);
    if buffer.capacity() == 0 || buffer.capacity() > MAX_SPARE_BYTES {
        return;
    }
    buffer.clear();
    SPARE.with_borrow_mut(|spare| {
        if spare.len() < MAX_SPARE {
            spare.push(buffer);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_goes_from_one_to_the_next_and_its_content_does_not() {
        let mut first = b"PASS secret".to_vec();
        let room = first.capacity();
        take_back(&mut first);
        assert_eq!((first.len(), first.capacity()), (0, 0));
        let mut second = Vec::new();
        lend(&mut second);
        assert_eq!((second.len(), second.capacity()), (0, room));
        let mut huge = vec![0; MAX_SPARE_BYTES + 1];
        take_back(&mut huge);
        let mut third = Vec::new();
        lend(&mut third);
        assert_eq!(third.capacity(), 0);
    }
}
