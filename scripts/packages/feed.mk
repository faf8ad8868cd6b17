# SPDX-License-Identifier: MIT
# TinyGateway for the build systems of OpenWrt and Tina Linux, made for @NAME@: the binary is in files/.
#
# OpenWrt: copy this folder to package/, or name its parent in feeds.conf as a src-link.
# Tina: copy it to package/allwinner/.

include $(TOPDIR)/rules.mk

PKG_NAME:=tinygateway
PKG_VERSION:=@VERSION@
PKG_RELEASE:=1
PKG_LICENSE:=MIT
PKG_BUILD_DIR:=$(BUILD_DIR)/$(PKG_NAME)-$(PKG_VERSION)

# Older Tina trees keep package.mk elsewhere.
ifneq ($(wildcard $(INCLUDE_DIR)/package.mk),)
include $(INCLUDE_DIR)/package.mk
else
PKG_BUILD_DIR:=$(COMPILE_DIR)/$(PKG_NAME)-$(PKG_VERSION)
include $(BUILD_DIR)/package.mk
endif

define Package/tinygateway
  SECTION:=net
  CATEGORY:=Network
  TITLE:=TinyGateway
endef

define Package/tinygateway/description
  @SUMMARY@
endef

define Package/tinygateway/conffiles
/etc/tinygateway/board.yaml
endef

define Build/Prepare
	mkdir -p $(PKG_BUILD_DIR)
endef

define Build/Compile
endef

# Static and stripped already: nothing to take off, no libraries to look for.
RSTRIP:=:

define Package/tinygateway/install
	$(CP) ./files/* $(1)/
endef

$(eval $(call BuildPackage,tinygateway))
