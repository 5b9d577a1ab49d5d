//! Where a page leads: the links of HTML that `wget -r` follows.

/// Links of one page that are looked at.
const MAX_LINKS: usize = 1000;

/// The values of `href` and `src`, in order; what is no link to a page (`mailto:`, `#top`) is left out.
pub(super) fn of(page: &[u8]) -> Vec<Vec<u8>> {
    let mut links = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.iter().position(|&byte| byte == b'<') {
        let tag = rest.get(at + 1..).unwrap_or_default();
        let end = tag.iter().position(|&byte| byte == b'>');
        let (inside, after) = tag.split_at(end.unwrap_or(tag.len()));
        links.extend(attributes(inside));
        rest = after;
        if links.len() >= MAX_LINKS {
            break;
        }
    }
    links
}

fn attributes(tag: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let names: [&[u8]; 2] = [b"href", b"src"];
    names.into_iter().filter_map(|name| {
        let at = tag
            .windows(name.len())
            .position(|window| window.eq_ignore_ascii_case(name))?;
        let value = tag.get(at + name.len()..)?.trim_ascii_start();
        let value = value.strip_prefix(b"=")?.trim_ascii_start();
        let value = match value.split_first() {
            Some((quote @ (b'"' | b'\''), inner)) => inner.split(|byte| byte == quote).next()?,
            _ => value.split(u8::is_ascii_whitespace).next()?,
        };
        let value = value.split(|&byte| byte == b'#').next()?.trim_ascii();
        let text = String::from_utf8_lossy(value).replace("&amp;", "&");
        let scheme = text.split(['/', '?']).next().unwrap_or_default();
        let foreign = scheme.contains(':') && !text.starts_with("http") && !text.starts_with("ftp");
        (!text.is_empty() && !foreign).then(|| text.into_bytes())
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_page_leads_where_its_links_do() {
        let page =
            br##"<html><A HREF="a.sh">a</a> <a class=x href='/sub/?a=1&amp;b=2#top'>s</a><img
            src = ../big><a href="mailto:x@y">m</a><a href="#top">t</a><a href=""##;
        let links = super::of(page);
        let texts: Vec<&str> = links
            .iter()
            .map(|link| std::str::from_utf8(link).unwrap())
            .collect();
        assert_eq!(texts, ["a.sh", "/sub/?a=1&b=2", "../big"]);
    }
}
