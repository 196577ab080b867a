import Dispatch
import Glibc
import Model

/// Notifies when a file arrives in a folder, by inotify(7).
final class FolderArrivals {
    private let source: any DispatchSourceRead

    /// - Returns: nil where the kernel cannot watch the folder: who waits has to look at it now and then.
    init?(_ folder: String, notifying signal: WakeSignal) {
        let descriptor = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
        guard descriptor >= 0 else { return nil }
        guard inotify_add_watch(descriptor, folder, UInt32(IN_CREATE | IN_MOVED_TO)) >= 0 else {
            close(descriptor)
            return nil
        }
        let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: .global())
        source.setEventHandler {
            // What arrived is found by listing the folder.
            withUnsafeTemporaryAllocation(byteCount: 4096, alignment: MemoryLayout<inotify_event>.alignment) { buffer in
                while read(descriptor, buffer.baseAddress, buffer.count) > 0 {}
            }
            signal.notify()
        }
        source.setCancelHandler { close(descriptor) }
        source.activate()
        self.source = source
    }

    deinit { source.cancel() }
}
