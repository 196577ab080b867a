import ArgumentParser
import Ledger
import Model
import Policy
import Telemetry

/// Words about a mailing that was sent before.
struct RepeatText {
    /// The mailing file as it was given.
    let file: String

    /// Writes why it is not sent, and gives the exit status of that.
    func refusal(_ earlier: EarlierMailings) -> ExitCode {
        StandardError.write(
            """
            error: \(file) was sent before: \(history(earlier)). Nothing was sent now.
              --only-new sends it to those who have not had it, --again to everybody once more.
              If it is a mailing of its own, give it a `key:` of its own in the file.
            """)
        return ExitCode(.sentBefore)
    }

    /// Refuses a mailing of which an earlier one has not ended.
    func refusal(unfinished record: MailingRecord) -> ExitCode {
        StandardError.write(
            """
            error: mailing \(record.id) of \(file) was added \(Timestamp.text(record.created)) and has not ended \
            (\(record.state.rawValue)). Nothing was added now.
              flotilla mailing show \(record.id) tells how it does, flotilla mailing stop \(record.id) ends it.
              If this is a mailing of its own, give it a `key:` of its own in the file. --again adds it all the same.
            """)
        return ExitCode(.sentBefore)
    }

    /// The same of one that the ledger, an older copy, does not know.
    func refusal(lost id: MailingID) -> ExitCode {
        StandardError.write(
            """
            error: mailing \(id) of \(file) was added before and is not in this ledger: an older copy has taken the ledger's place since. \
            Who has had the mailing is not known. Nothing was sent now.
              Put the ledger back that was in use; or ask the provider who had it. --again sends it to everybody, also to those.
              If it is a mailing of its own, give it a `key:` of its own in the file.
            """)
        return ExitCode(.sentBefore)
    }

    /// The same for `--only-new` where it is no longer known who has had it.
    func refusal(forgotten earlier: EarlierMailings.Sent) -> ExitCode {
        StandardError.write(
            """
            error: \(file) was sent before, and --only-new cannot leave out who has had it: mailing \(earlier.id) of \
            \(Timestamp.text(earlier.started)) was sent to \(counted(earlier.reached, "recipient")), and was pruned \
            \(earlier.pruned.map(Timestamp.text) ?? "since"), so that it is no longer known who they were. Nothing was sent now.
              --again sends it to everybody once more. A file of new people alone, with a `key:` of its own, is sent to all of them.
            """)
        return ExitCode(.sentBefore)
    }

    /// Refuses a new mailing where somebody has put an older copy in the place of the ledger: it may lack the same mailing.
    func refuseOlderCopy(_ ledger: any OpenLedger) async throws {
        let mark = try await ledger.copyMark()
        // `ledger restore` has taken over what the copy lacks, or has warned that it could not.
        guard mark.restored == nil, let known = try await ledger.note()?.commits, known > mark.commits else { return }
        StandardError.write(
            """
            error: the ledger \(ledger.path) is an older copy of the one that was in use (\(mark.commits) of \(known) commits): whether \
            \(file) was sent since it was made is not known. Nothing was sent now.
              Put the ledger that was in use back. Where the copy is to be used, put it there with flotilla ledger restore, which takes \
            over what it lacks. --again sends to everybody, also to those who may have had it.
            """)
        throw ExitCode(.sentBefore)
    }

    /// What `--again` says.
    func again(_ earlier: EarlierMailings) -> String { "\(file) is sent again: \(history(earlier))" }

    private func history(_ earlier: EarlierMailings) -> String {
        guard let last = earlier.sent.first else { return "" }
        let people = last.reached == 1 ? "1 recipient has" : "\(grouped(last.reached)) recipients have"
        var text = "\(people) had mailing \(last.id) of \(Timestamp.text(last.started))"
        if last.state != .sent { text += " (\(last.state.rawValue))" }
        if earlier.sent.count > 1 {
            let others = earlier.sent.count - 1
            let count = grouped(earlier.reached - last.reached)
            text += ", and \(count) had \(others == 1 ? "the mailing" : "the \(others) mailings") before it"
        }
        return text
    }
}
