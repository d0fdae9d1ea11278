/// What an ``EventLoop`` waits on between jobs: one library with descriptors of its own.
package protocol EventSource: AnyObject, Sendable {
    /// Sends what is queued, waits for the library's descriptors or `wakeup` to become readable, handles what came.
    ///
    /// Called on the loop's thread only. With `mayWait` false there are jobs to run: look, but do not wait.
    func turn(wakeup: CInt, mayWait: Bool)
}
