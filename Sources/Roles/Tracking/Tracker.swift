package import Model
package import Policy
package import Signing
import Synchronization
package import Telemetry
package import Text

/// Answers the visitors of messages' links. It looks nothing up: what a link needs is signed in it, and what happened is the event of its
/// answer. Pages that need more are answered by `VisitorLookups`, and by this where that cannot. It remembers nothing but the tokens that
/// were refused a moment ago. Whatever a visitor sends, it neither traps nor leads elsewhere than a message did.
package final class Tracker: Sendable {
    package struct Configuration: Sendable {
        /// The public address, without a final slash.
        package var url: String
        /// Further ones, of the same path (`tracker.domains`).
        package var otherURLs: [String] = []
        package var keys: SigningKeys
        /// Whose word on the visitor's address is taken.
        package var trustedProxies: [IPNetwork] = []
        package var addresses = AddressKeeping.none
        /// Who visitors are.
        package var visitors = VisitorRules(version: "none", rules: [], networks: [])
        package var look = PageLook()

        package init(url: String, keys: SigningKeys) {
            self.url = url
            self.keys = keys
        }
    }

    package struct Answer: Sendable {
        package let response: WebResponse
        package let kind: Kind
        package var event: TrackedEvent?
        /// What else happened at once.
        package var further: TrackedEvent?
        package var fault: TokenFault?

        init(
            _ response: WebResponse, _ kind: Kind, event: TrackedEvent? = nil, further: TrackedEvent? = nil, fault: TokenFault? = nil
        ) {
            self.response = response
            self.kind = kind
            self.event = event
            self.further = further
            self.fault = fault
        }

        /// What was asked for, for the metrics.
        package enum Kind: String, Sendable, CaseIterable {
            /// A pixel, a redirect, a POST that unsubscribes, and one that takes it back.
            case open, click, unsubscribe, resubscribe
            /// A message in a browser, and choices that were saved.
            case view, preferences
            /// A page for people.
            case page
            /// A token that is none.
            case refused
            /// For proxies and load balancers, and what is nowhere.
            case other
        }
    }

    private let configuration: Configuration
    let fixed: FixedAnswers
    private let languages: LanguagePages
    /// The path of the public address, which a proxy may have removed or not.
    private let base: [UInt8]
    /// The hosts of the public addresses.
    private let hosts: Set<String>
    private let damaged: Mutex<DamagedTokens>

    package init(_ configuration: Configuration) {
        self.configuration = configuration
        let url = try? ParsedURL(configuration.url)
        base = Array((url?.path ?? "").utf8)
        let hosts = ([configuration.url] + configuration.otherURLs).compactMap { try? ParsedURL($0).host.lowercased() }
        self.hosts = Set(hosts.filter { !$0.isEmpty })
        fixed = FixedAnswers(configuration.look)
        languages = LanguagePages(configuration.look, base: url?.path ?? "")
        damaged = Mutex(DamagedTokens(window: configuration.visitors.bursts.window))
    }

    /// - Parameter now: milliseconds since 1970.
    package func answer(_ request: WebRequest, at now: Int64) -> Answer {
        guard request.method != .other else { return Answer(fixed.noMethod, .other) }
        let path = route(request.target)
        guard path.count > 3, path[path.startIndex] == UInt8(ascii: "/"), path[path.startIndex + 2] == UInt8(ascii: "/") else {
            return ShortLinkPath.token(path).map { shortLink($0, request, now) } ?? fixed(path, request)
        }
        let rest = path.dropFirst(3)
        switch (path[path.startIndex + 1], request.method == .post) {
        case (UInt8(ascii: "u"), _): return unsubscribe(rest, .unsubscribe, request, now)
        case (UInt8(ascii: "p"), _): return unsubscribe(rest, .preferences, request, now)
        case (UInt8(ascii: "o"), false): return open(rest, request, now)
        case (UInt8(ascii: "c"), false): return click(rest, request, now)
        case (UInt8(ascii: "v"), false): return view(rest, request, now)
        case (UInt8(ascii: "o"), true), (UInt8(ascii: "c"), true), (UInt8(ascii: "v"), true): return Answer(fixed.onlyRead, .other)
        default: return Answer(pages(for: request).nothing, .other)
        }
    }

    func pages(for request: WebRequest) -> TrackerPages { languages.pages(for: request) }

    /// What a visitor gets whose event could not be kept: nobody is told that they are unsubscribed who is not.
    func answer(insteadOf answer: Answer, dropped event: TrackedEvent, _ request: WebRequest) -> Answer {
        guard event.action.isChoice else { return answer }
        let pages = pages(for: request)
        return Answer(VisitorLookups.hasForm(request) ? pages.laterForm : pages.later, answer.kind, event: event)
    }

    /// Paths without a token.
    private static let fixedPaths = ["/health", "/style.css", "/tls"]

    /// The path without its query, and without the path of the public address.
    func route(_ target: String) -> ArraySlice<UInt8> {
        var path = Array(target.utf8.prefix { $0 != UInt8(ascii: "?") })[...]
        // Programs take the sign behind a link at the end of a sentence for a part of it. No address of ours ends so.
        while let last = path.last, ".,;:!)>".utf8.contains(last) { path.removeLast() }
        guard !base.isEmpty, path.starts(with: base) else { return path }
        // A proxy may have removed it, and what is left may begin alike: `/u/TOKEN` below `https://t.example/u`.
        let rest = path.dropFirst(base.count)
        let isRoute = rest.count > 3 && rest[rest.startIndex] == UInt8(ascii: "/") && rest[rest.startIndex + 2] == UInt8(ascii: "/")
        return isRoute || ShortLinkPath.isTokens(rest) || Self.fixedPaths.contains { rest.elementsEqual($0.utf8) } ? rest : path
    }

    private func open(_ token: ArraySlice<UInt8>, _ request: WebRequest, _ now: Int64) -> Answer {
        do throws(TokenFault) {
            let subject = try configuration.keys.verify(token, for: .open)
            return Answer(fixed.pixel, .open, event: event(.open, of: subject, token, request, now))
        } catch { return refuse(token, error, request, now) }
    }

    private func click(_ path: ArraySlice<UInt8>, _ request: WebRequest, _ now: Int64) -> Answer {
        do throws(TokenFault) {
            let (subject, link) = try TrackedLink.read(path, keys: configuration.keys)
            var event = event(.click, of: subject, path, request, now)
            event.link = link.number
            return Answer(fixed.redirect(to: link.target), .click, event: event)
        } catch { return refuse(path, error, request, now) }
    }

    /// A message in a browser, where it cannot be had.
    private func view(_ token: ArraySlice<UInt8>, _ request: WebRequest, _ now: Int64) -> Answer {
        do throws(TokenFault) {
            _ = try configuration.keys.verify(token, for: .view)
            return Answer(pages(for: request).wait, .page)
        } catch { return refuse(token, error, request, now) }
    }

    /// A short link, where it is not known where it leads.
    private func shortLink(_ token: ArraySlice<UInt8>, _ request: WebRequest, _ now: Int64) -> Answer {
        guard request.method != .post else { return Answer(fixed.onlyRead, .other) }
        do throws(TokenFault) {
            _ = try configuration.keys.verify(token, for: .shortLink)
            return Answer(pages(for: request).wait, .page)
        } catch { return refuse(token, error, request, now) }
    }

    /// Whom a page or a link is about that needs what the ledger knows, with the path behind its prefix; nil for all other requests.
    func lookup(of request: WebRequest) -> Lookup? {
        guard request.method != .other else { return nil }
        let path = route(request.target)
        if request.method != .post, let token = ShortLinkPath.token(path) {
            guard let subject = try? configuration.keys.verify(token, for: .shortLink) else { return nil }
            let question = Question(
                .link, mailing: subject.mailing, batch: subject.batch, index: subject.index, link: subject.link)
            return Lookup(question: question, subject, token)
        }
        guard path.count > 3, path[path.startIndex] == UInt8(ascii: "/"), path[path.startIndex + 2] == UInt8(ascii: "/") else { return nil }
        let token = path.dropFirst(3)
        let kind: Question.Kind
        switch (path[path.startIndex + 1], request.method == .post) {
        case (UInt8(ascii: "p"), _): kind = .preferences
        case (UInt8(ascii: "v"), false): kind = .view
        default: return nil
        }
        guard let subject = try? configuration.keys.verify(token, for: kind == .view ? .view : .preferences) else { return nil }
        return Lookup(question: Question(kind, mailing: subject.mailing, batch: subject.batch, index: subject.index), subject, token)
    }

    struct Lookup {
        let question: Question
        let subject: TokenSubject
        let token: ArraySlice<UInt8>

        init(question: Question, _ subject: TokenSubject, _ token: ArraySlice<UInt8>) {
            (self.question, self.subject, self.token) = (question, subject, token)
        }
    }

    /// RFC 8058: a POST unsubscribes, whoever sends it and whatever its body is; nothing else does, as programs follow links that they
    /// find. The page of choices takes it back, too.
    private func unsubscribe(_ token: ArraySlice<UInt8>, _ purpose: TokenPurpose, _ request: WebRequest, _ now: Int64) -> Answer {
        do throws(TokenFault) {
            let subject = try configuration.keys.verify(token, for: purpose)
            let isChoice = purpose == .preferences
            let pages = pages(for: request)
            guard request.method == .post else { return Answer(isChoice ? pages.preferences : pages.unsubscribe, .page) }
            guard isChoice, request.target.hasSuffix(TrackerPages.again) else {
                return Answer(pages.unsubscribed, .unsubscribe, event: event(.unsubscribe, of: subject, token, request, now))
            }
            // Whether they are on the list still is for the ledger to say, which has not answered.
            return Answer(pages.taken, .resubscribe, event: event(.resubscribe, of: subject, token, request, now))
        } catch { return refuse(token, error, request, now) }
    }

    /// - Parameter path: the token, and what follows behind a slash.
    private func refuse(_ path: ArraySlice<UInt8>, _ fault: TokenFault, _ request: WebRequest, _ now: Int64) -> Answer {
        if let visitor = visitor(of: request) {
            let pseudonym = configuration.keys.pseudonym(of: visitor.bytes)
            damaged.withLock { $0.add(Self.token(path), by: pseudonym, at: now) }
        }
        return Answer(pages(for: request).refused, .refused, fault: fault)
    }

    private static func token(_ path: ArraySlice<UInt8>) -> ArraySlice<UInt8> { path.prefix { $0 != UInt8(ascii: "/") } }

    private func fixed(_ path: ArraySlice<UInt8>, _ request: WebRequest) -> Answer {
        guard request.method != .post else { return Answer(fixed.onlyRead, .other) }
        if path.elementsEqual("/health".utf8) { return Answer(fixed.healthy, .other) }
        if path.elementsEqual("/style.css".utf8) { return Answer(fixed.style, .other) }
        if path.elementsEqual("/tls".utf8) { return Answer(isOurs(request.target) ? fixed.healthy : fixed.noDomain, .other) }
        return Answer(pages(for: request).nothing, .other)
    }

    /// Whether the domain of a query is one of our links: a proxy that gets certificates on demand asks before it gets one.
    private func isOurs(_ target: String) -> Bool {
        let query = target.utf8.drop { $0 != UInt8(ascii: "?") }.dropFirst()
        let domains = query.split(separator: UInt8(ascii: "&")).compactMap { part in
            part.starts(with: "domain=".utf8) ? String(decoding: part.dropFirst(7), as: UTF8.self).lowercased() : nil
        }
        return domains.count == 1 && hosts.contains(domains[0])
    }

    func event(
        _ action: TrackedAction, of subject: TokenSubject, _ path: ArraySlice<UInt8>, _ request: WebRequest, _ now: Int64
    ) -> TrackedEvent {
        let method: TrackedMethod =
            switch request.method {
            case .head: .head
            case .post: .post
            case .get, .other: .get
            }
        var event = TrackedEvent(
            action, by: method, mailing: subject.mailing, batch: subject.batch, index: subject.index, time: now)
        event.agent = AgentCleaning.cleaned(request.agent)
        guard let visitor = visitor(of: request) else { return event }
        event.visitor = configuration.keys.pseudonym(of: visitor.bytes)
        event.network = configuration.visitors.networks.name(of: visitor.number)
        event.address = visitor.text(configuration.addresses)
        // A POST is a decision, whatever came before.
        if method != .post {
            let pseudonym = event.visitor
            event.damaged = damaged.withLock { $0.isNear(Self.token(path), by: pseudonym, at: now) }
        }
        return event
    }

    private func visitor(of request: WebRequest) -> VisitorAddress? {
        let proxies = configuration.trustedProxies
        return VisitorAddress(peer: request.peer, forwarded: proxies.isEmpty ? [] : request.forwarded, trusted: proxies)
    }
}
