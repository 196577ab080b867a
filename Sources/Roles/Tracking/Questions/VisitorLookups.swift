import Model
import Signing
import Telemetry

/// Answers visitors whose pages need what the ledger knows: the page of preferences, messages in a browser, and short links.
struct VisitorLookups: Sendable {
    private let tracker: Tracker
    private let asker: QuestionAsker

    init(_ tracker: Tracker, _ asker: QuestionAsker) { (self.tracker, self.asker) = (tracker, asker) }

    /// Whether a request may have a form whose fields are read.
    static func hasForm(_ request: WebRequest) -> Bool {
        request.method == .post && [PreferencePage.save, PreferencePage.all].contains { request.target.hasSuffix($0) }
    }

    /// Nil for a request that needs no look-up, or whose answer cannot be had: the tracker answers it alone.
    /// - Parameter now: milliseconds since 1970.
    func answer(_ request: WebRequest, at now: Int64) async -> Tracker.Answer? {
        guard let lookup = tracker.lookup(of: request) else { return nil }
        switch lookup.question.kind {
        case .link: return follow(await asker.answer(to: lookup.question), lookup, request, now)
        case .view: return view(await asker.answer(to: lookup.question), lookup, request, now)
        case .preferences: break
        }
        if Self.hasForm(request) { return await save(lookup, request, now) }
        let isAgain = request.method == .post && request.target.hasSuffix(TrackerPages.again)
        // A POST that unsubscribes needs nothing.
        guard request.method != .post || isAgain, case .preferences(let found)? = await asker.answer(to: lookup.question) else {
            return nil
        }
        return isAgain ? subscribe(found, lookup, request, now) : page(found, request, isSaved: false)
    }

    private func page(_ preferences: RecipientPreferences, _ request: WebRequest, isSaved: Bool) -> Tracker.Answer {
        let page = PreferencePage(preferences: preferences, pages: tracker.pages(for: request))
        return Tracker.Answer(page.response(isSaved: isSaved), .page)
    }

    /// Takes back that a visitor unsubscribed, as far as that is theirs to take back: who complained, or whose mailbox is not there, sees
    /// that nothing has changed, and nobody is told otherwise.
    private func subscribe(
        _ found: RecipientPreferences, _ lookup: Tracker.Lookup, _ request: WebRequest, _ now: Int64
    ) -> Tracker.Answer {
        let changed = found.changed(by: found.change(ofOwn: true))
        let own = changed.category.isEmpty ? changed.all : changed.categories.first { $0.name == changed.category }?.choice ?? .wanted
        guard own == .wanted, changed.all != .excluded else { return page(found, request, isSaved: false) }
        let event = tracker.event(.resubscribe, of: lookup.subject, lookup.token, request, now)
        guard changed.all == .wanted else {
            // Mailings like this one are wanted again, and all of the channel are declined still: the page says both.
            return Tracker.Answer(page(changed, request, isSaved: true).response, .resubscribe, event: event)
        }
        return Tracker.Answer(tracker.pages(for: request).subscribed, .resubscribe, event: event)
    }

    /// A short link leads to no address that no message would have had, whoever answered.
    private func follow(_ answer: Answer?, _ lookup: Tracker.Lookup, _ request: WebRequest, _ now: Int64) -> Tracker.Answer? {
        switch answer {
        case .target(let target) where target.withUnsafeBufferPointer({ WebTarget.isWhole($0) }):
            var event = tracker.event(.click, of: lookup.subject, lookup.token, request, now)
            event.link = UInt16(lookup.question.link)
            return Tracker.Answer(tracker.fixed.redirect(to: target), .click, event: event)
        case .gone, .tooLarge, .target: return Tracker.Answer(tracker.pages(for: request).gone, .page)
        case .unable, .preferences, .page, nil: return nil
        }
    }

    private func view(_ answer: Answer?, _ lookup: Tracker.Lookup, _ request: WebRequest, _ now: Int64) -> Tracker.Answer? {
        let pages = tracker.pages(for: request)
        switch answer {
        case .page(let html):
            let event = tracker.event(.view, of: lookup.subject, lookup.token, request, now)
            return Tracker.Answer(tracker.fixed.message(html), .view, event: event)
        case .gone: return Tracker.Answer(pages.gone, .page)
        case .tooLarge: return Tracker.Answer(pages.tooLarge, .page)
        case .unable, .preferences, .target, nil: return nil
        }
    }

    /// Takes the choices of a form. They are events, as all choices are: whether the ledger can be asked only decides what is shown.
    private func save(_ lookup: Tracker.Lookup, _ request: WebRequest, _ now: Int64) async -> Tracker.Answer {
        let form = PreferenceForm(PreferenceForm.isSent(as: request.headers["content-type"]) ? request.body : [])
        let isAll = request.target.hasSuffix(PreferencePage.all)
        let pages = tracker.pages(for: request)
        // Nothing is saved of a form that the page did not send. Who declines everything is heard whatever the form is.
        guard isAll || !form.isEmpty else { return Tracker.Answer(pages.invalid, .page) }
        var change = isAll ? PreferenceChange(all: false) : form.change
        var response = pages.taken
        if case .preferences(let found)? = await asker.answer(to: lookup.question) {
            change = found.known(of: change)
            response = PreferencePage(preferences: found.changed(by: change), pages: pages).response(isSaved: true)
        }
        // What is chosen for mailings like this one is counted as unsubscribing and subscribing, which it is.
        var own: Bool?
        if form.category.isEmpty, let all = change.all {
            own = all
            change.all = nil
        } else if change.all == false {
            own = false
        } else {
            own = change.categories.removeValue(forKey: form.category)
        }
        func event(_ action: TrackedAction) -> TrackedEvent { tracker.event(action, of: lookup.subject, lookup.token, request, now) }
        var answer = Tracker.Answer(response, .preferences)
        if let own { answer.event = event(own ? .resubscribe : .unsubscribe) }
        if !change.isEmpty {
            var other = event(.preferences)
            other.change = change
            answer.further = other
        }
        return answer
    }

    /// What a visitor chose is kept: he sees it from now on.
    func note(_ answer: Tracker.Answer) {
        for event in [answer.event, answer.further].compactMap(\.self) where event.action.isChoice && event.method == .post {
            asker.note(event)
        }
    }
}
