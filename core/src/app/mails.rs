//! `mails/`: what the app's mails say.

use super::config::AppConfig;
use super::layout::AppDirectory;
use crate::auth::config::MailTemplate;
use crate::auth::{MailPart, Mails};
use crate::env::MailKind;
use crate::report::Report;

const FOLDER: &str = "mails";

/// Fills the app's mails; to be read when its log-in is. What is at fault stays built in.
pub(super) fn read(app: &mut AppConfig, directory: &AppDirectory, report: &mut Report) {
    // The line of the file that a text begins after: a subject may stand before it.
    let mut offsets: Vec<(MailKind, usize)> = Vec::new();
    for name in directory.files(FOLDER, "") {
        let file = format!("{FOLDER}/{name}");
        let named = name.rsplit_once('.').and_then(|(word, ending)| {
            let kind = MailKind::ALL.into_iter().find(|kind| kind.as_str() == word)?;
            ["txt", "html"].contains(&ending).then_some((kind, ending == "html"))
        });
        let Some((kind, is_html)) = named else {
            report.warn(&file, "", "there is no mail of this name; ignored");
            continue;
        };
        let Some(text) = directory.text(&file, report) else { continue };
        let template = app.auth.mails.entry(kind).or_default();
        if is_html {
            template.html = Some(text);
        } else {
            offsets.push((kind, split(&text, template)));
        }
    }
    let (_, faults) = Mails::read(&app.auth, &app.name);
    for fault in faults {
        let Some(template) = app.auth.mails.get_mut(&fault.kind) else { continue };
        let offset = offsets.iter().find(|(kind, _)| *kind == fault.kind).map_or(0, |(_, offset)| *offset);
        let (ending, line) = match fault.part {
            MailPart::Subject => ("txt", 1),
            MailPart::Text => ("txt", fault.line + offset),
            MailPart::Html => ("html", fault.line),
        };
        let file = format!("{FOLDER}/{}.{ending}", fault.kind.as_str());
        let place = if fault.line == 0 { String::new() } else { format!("line {line}: ") };
        report.error(&file, "", format!("{place}{}; the built-in {} is sent", fault.message, fault.part));
        match fault.part {
            MailPart::Subject => template.subject = None,
            MailPart::Text => template.text = None,
            MailPart::Html => template.html = None,
        }
    }
}

/// Takes a first line `Subject: …`, and the empty line behind it, off a text; returns how many lines that were.
fn split(text: &str, template: &mut MailTemplate) -> usize {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let subject = first.split_once(':').filter(|(word, _)| word.eq_ignore_ascii_case("subject"));
    let Some((_, subject)) = subject else {
        template.text = Some(text.to_owned());
        return 0;
    };
    template.subject = Some(subject.trim().to_owned());
    let body = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix('\n'));
    // A file with a subject alone leaves the text built in.
    template.text = Some(body.unwrap_or(rest)).filter(|body| !body.trim().is_empty()).map(str::to_owned);
    1 + usize::from(body.is_some())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::app::Secrets;

    fn import(files: &[(&str, &str)]) -> (AppConfig, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("root_config.json"), r#"{"name": "shop"}"#).unwrap();
        fs::create_dir(folder.path().join(FOLDER)).unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(FOLDER).join(name), text).unwrap();
        }
        let (app, report) = AppConfig::import_with(folder.path(), &Secrets::default()).unwrap();
        (app, report.problems().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_text_may_begin_with_its_subject() {
        for (text, subject, body) in [
            ("Subject: {app}\n\nOpen {link}\n", Some("{app}"), Some("Open {link}\n")),
            ("subject:{app}\r\n\r\nOpen {link}", Some("{app}"), Some("Open {link}")),
            ("SUBJECT: x\nOpen {link}", Some("x"), Some("Open {link}")),
            ("Subject: x", Some("x"), None),
            ("Open {link}\nSubject: x", None, Some("Open {link}\nSubject: x")),
        ] {
            let (app, problems) = import(&[("confirm.txt", text)]);
            assert_eq!(problems, [] as [&str; 0], "{text}");
            let template = &app.auth.mails[&MailKind::Confirm];
            assert_eq!((template.subject.as_deref(), template.text.as_deref()), (subject, body), "{text}");
        }
    }

    #[test]
    fn what_is_at_fault_is_told_with_file_and_line_and_stays_built_in() {
        let (app, problems) = import(&[
            ("confirm.txt", "Subject: {nobody}\n\nHello,\n{name}: {link}"),
            ("reset.html", "<p>\n{link} {logo}"),
            ("reset.txt", "{link}"),
            ("welcome.txt", "Hello"),
            ("confirm.md", "Hello"),
        ]);
        let known = "there are `{link}`, `{token}`, `{tokenId}`, `{minutes}`, `{email}`, `{app}`";
        assert_eq!(
            problems,
            [
                "warning: mails/confirm.md: there is no mail of this name; ignored".to_owned(),
                "warning: mails/welcome.txt: there is no mail of this name; ignored".to_owned(),
                format!(
                    "error: mails/confirm.txt: line 1: unknown placeholder `{{nobody}}`; {known}; the built-in subject is sent"
                ),
                format!(
                    "error: mails/confirm.txt: line 4: unknown placeholder `{{name}}`; {known}; the built-in text is sent"
                ),
                format!(
                    "error: mails/reset.html: line 2: unknown placeholder `{{logo}}`; {known}; the built-in html is sent"
                ),
            ]
        );
        assert_eq!(app.auth.mails[&MailKind::Confirm], MailTemplate::new());
        assert_eq!(app.auth.mails[&MailKind::Reset], MailTemplate::new().text("{link}"));
    }
}
