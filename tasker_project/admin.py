"""People and groups in the looks of the other pages; who may edit them is Django's own business."""

from typing import TYPE_CHECKING

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

if TYPE_CHECKING:  # unfold carries no types
    LookOfUser, LookOfGroup = UserAdmin, GroupAdmin
else:
    from unfold.admin import ModelAdmin

    class LookOfUser(UserAdmin, ModelAdmin):
        """Django's page of a user, drawn by unfold."""

        form = UserChangeForm
        add_form = UserCreationForm
        change_password_form = AdminPasswordChangeForm

    class LookOfGroup(GroupAdmin, ModelAdmin):
        """Django's page of a group, drawn by unfold."""


admin.site.unregister(User)
admin.site.unregister(Group)
admin.site.register(User, LookOfUser)
admin.site.register(Group, LookOfGroup)
