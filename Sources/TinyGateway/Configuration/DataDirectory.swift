// SPDX-License-Identifier: MIT
import CPlatform
import Platform

/// The directory that holds everything the gateway keeps.
enum DataDirectory {
  /// EROFS; the same on every Linux.
  private static let readOnlyFileSystem: Int32 = 30

  /// The path without slashes at its end.
  static func normalized(_ path: ByteString) -> ByteString {
    var bytes = path.bytes
    while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
    return ByteString(bytes)
  }

  /// Makes sure that the directory is there and can be written, mode 0700 when it is new.
  ///
  /// Only the last part of the path is made: a missing parent is more likely a medium that is not
  /// mounted than a wish for a new tree.
  /// A read-only file system is no problem where a database is: it is served from.
  /// `isCreating: false` leaves a missing directory missing. The answer is what is wrong and what
  /// to do, nil when all is well.
  static func prepare(
    _ setting: ConfigurationSetting, _ path: ByteString, isCreating: Bool
  ) -> ConfigurationProblem? {
    let kind = path.withCString { cp_is_directory($0) }
    if kind == 0 {
      return problem(setting, path, "is a file; name a directory, or move the file away")
    }
    if kind == -cp_enoent {
      guard isCreating else { return nil }
      let made = path.withCString { cp_make_directory($0, 0o700) }
      if made < 0 && made != -cp_eexist { return creationProblem(setting, path, -made) }
    } else if kind < 0 {
      return accessProblem(setting, path, -kind)
    }
    let access = path.withCString { cp_is_writable($0) }
    if access == -readOnlyFileSystem, File.exists(path + "/db.db") { return nil }
    return access < 0 ? accessProblem(setting, path, -access) : nil
  }

  private static func creationProblem(
    _ setting: ConfigurationSetting, _ path: ByteString, _ number: Int32
  ) -> ConfigurationProblem {
    if number == cp_enoent {
      return problem(
        setting, path,
        "cannot be made because its parent is missing; mount the medium or make the parent")
    }
    if number == cp_eacces {
      return problem(
        setting, path,
        """
        cannot be made by this user; make it and give it to the user, or choose another with \
        --data-dir
        """)
    }
    return accessProblem(setting, path, number)
  }

  private static func accessProblem(
    _ setting: ConfigurationSetting, _ path: ByteString, _ number: Int32
  ) -> ConfigurationProblem {
    if number == cp_eacces {
      return problem(
        setting, path,
        """
        is not writable for this user; change its owner with chown, or choose another with \
        --data-dir
        """)
    }
    if number == readOnlyFileSystem {
      return problem(
        setting, path,
        "is on a read-only file system; remount it with rw, or choose another with --data-dir")
    }
    if number == cp_enotdir {
      return problem(setting, path, "leads through a file; correct the path")
    }
    return ConfigurationProblem(setting.origin) { message in
      message.append(path)
      message.append(" cannot be used (")
      message.append(text: SystemError.describe(number))
      message.append("); choose another directory with --data-dir")
    }
  }

  private static func problem(
    _ setting: ConfigurationSetting, _ path: ByteString, _ message: StaticString
  ) -> ConfigurationProblem {
    ConfigurationProblem(setting.origin) {
      $0.append(path)
      $0.append(" ")
      $0.append(message)
    }
  }
}
